import assert from 'node:assert/strict'
import { parse } from 'csv-parse/sync'
import { hitKinds } from '@loads-runner/metrics'
import { createCsv } from '../../src/files/csv-output.ts'
import { fixtureSummary, fixtureWarmUpSeconds, namesOf, outputConformance } from '../../src/testing.ts'
import { environmentOf } from '../recording-output.ts'
import { playInto, TemporaryDirectory } from './directory.ts'

type Row = Record<string, string>

function rowsOf(text: string): Row[] {
  return parse(text, { columns: true }) as Row[]
}

/** The last revision of each second and series. */
function lastOf(rows: Row[]): Row[] {
  const last = new Map<string, Row>()
  for (const row of rows)
    last.set(
      JSON.stringify([
        row.elapsed,
        row.warm_up,
        row.kind,
        row.test,
        row.name,
        row.method,
        row.status,
        row.tags,
      ]),
      row,
    )
  return [...last.values()]
}

function sum(rows: Row[], column: string): number {
  return rows.reduce((total, row) => total + Number(row[column]), 0)
}

describe('csv', () => {
  const directory = new TemporaryDirectory()
  beforeEach(() => directory.make())
  afterEach(() => directory.remove())
  const create = () => createCsv('f.csv', environmentOf({ cwd: directory.path }))

  outputConformance('csv', {
    troubles: [],
    countsWarmUp: true,
    start: async () => ({
      output: create(),
      arrived: async () => {
        const text = await directory.read('f.csv')
        const hits = lastOf(rowsOf(text)).filter(({ kind }) => kind === 'all')
        return {
          hits: sum(hits, 'count'),
          failed: sum(hits, 'failed'),
          times: rowsOf(text)
            .filter(({ revision }) => revision === '0')
            .map(({ at }) => Date.parse(at!)),
          text,
        }
      },
    }),
  })

  it('has rows of every series that add up to the summary', async () => {
    await playInto([create()])
    const rows = lastOf(rowsOf(await directory.read('f.csv')))
    const counted = rows.filter(({ warm_up }) => warm_up === '0')
    const summary = fixtureSummary()
    const hits = counted.filter(({ kind }) => hitKinds.has(kind as never))
    assert.equal(sum(hits, 'count'), summary.hits.count)
    assert.equal(sum(hits, 'bytes_in'), summary.hits.bytesIn)
    assert.equal(sum(hits, 'bytes_out'), summary.hits.bytesOut)
    const { counter, gauge } = namesOf('plain')
    assert.equal(
      sum(
        counted.filter(({ name }) => name === counter),
        'value',
      ),
      summary.counters[counter],
    )
    assert.equal(Number(counted.findLast(({ name }) => name === gauge)!.value), summary.gauges[gauge])
    const early = rows.filter(({ warm_up, kind }) => warm_up === '1' && kind === 'all')
    assert.equal(early.length, fixtureWarmUpSeconds)
    assert.equal(sum(early, 'count'), summary.warmUp!.hits)
    const tagged = rows.find(({ status }) => status === 'refused')!
    assert.deepEqual(JSON.parse(tagged.tags!), { region: 'eu' })
    // What was not measured is empty, never 0.
    assert.ok(
      rows.filter(({ kind }) => kind === 'check').every(({ p95, value }) => p95 === '' && value === ''),
    )
    assert.ok(!rows.some(({ kind }) => kind === 'internal'))
  })

  it('lets no name be a formula', async () => {
    await playInto([create()], { names: 'hostile' })
    const text = await directory.read('f.csv')
    const rows = rowsOf(text)
    for (const row of rows)
      for (const [column, cell] of Object.entries(row)) assert.doesNotMatch(cell, /^[=+@\t\r-]/, column)
    const { step, counter } = namesOf('hostile')
    assert.ok(rows.some(({ name }) => name === `'${step}`))
    assert.ok(rows.some(({ name }) => name === `'${counter}`))
  })
})
