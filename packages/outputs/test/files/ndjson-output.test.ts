import assert from 'node:assert/strict'
import { createNdjson } from '../../src/files/ndjson-output.ts'
import { fixtureSeconds, fixtureSummary, namesOf, outputConformance } from '../../src/testing.ts'
import { environmentOf } from '../recording-output.ts'
import { playInto, TemporaryDirectory } from './directory.ts'

type Line = {
  type: string
  event?: string
  elapsed: number
  revision: number
  at: string
  hits: number
  failed: number
  [field: string]: unknown
}

function linesOf(text: string): Line[] {
  assert.ok(text.endsWith('\n'))
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

function lastIntervals(lines: Line[]): Line[] {
  return [
    ...new Map(lines.filter(({ type }) => type === 'interval').map((line) => [line.elapsed, line])).values(),
  ]
}

describe('ndjson', () => {
  const directory = new TemporaryDirectory()
  beforeEach(() => directory.make())
  afterEach(() => directory.remove())
  const create = () => createNdjson('f.ndjson', environmentOf({ cwd: directory.path }))

  outputConformance('ndjson', {
    troubles: [],
    countsWarmUp: true,
    start: async () => ({
      output: create(),
      arrived: async () => {
        const text = await directory.read('f.ndjson')
        const lines = linesOf(text)
        const seconds = lastIntervals(lines)
        return {
          hits: seconds.reduce((sum, { hits }) => sum + hits, 0),
          failed: seconds.reduce((sum, { failed }) => sum + failed, 0),
          times: lines
            .filter(({ type, revision }) => type === 'interval' && revision === 0)
            .map(({ at }) => Date.parse(at)),
          text,
        }
      },
    }),
  })

  it('tells the run, each second, what happened, and the summary', async () => {
    await playInto([create()])
    const lines = linesOf(await directory.read('f.ndjson'))
    assert.deepEqual(lines[0], {
      type: 'run',
      run: 'fixture-run',
      names: ['shop.TestShop.test_buy'],
      project: 'shop',
      user: 'somebody@somewhere',
      labels: { region: 'eu' },
      seed: 7,
      agents: 2,
    })
    assert.equal(lastIntervals(lines).length, fixtureSeconds)
    assert.deepEqual(lines.at(-1), { type: 'summary', summary: fixtureSummary() })
    const notes = lines.filter(({ event }) => event === 'note')
    assert.equal(notes.length, 1)
    assert.equal(notes[0]!.text, namesOf('plain').note)
    const series = lines.find(({ type, kind }) => type === 'series' && kind === 'http')!
    assert.equal(series.name, 'GET /')
    assert.ok((series.p95 as number) > 5)
    const agents = lastIntervals(lines)[5]!.agents as { agent: string }[]
    assert.deepEqual(agents.map(({ agent }) => agent).sort(), ['agent-1', 'agent-2'])
  })
})
