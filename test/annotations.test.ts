import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { RunEvent } from '@loads-runner/protocol'
import { readEventLog } from '@loads-runner/protocol'
import { readNdjson, readReport } from './helpers/figure-files.ts'
import { needInfluxd, startInfluxd } from './helpers/output-servers.ts'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { runCli } from './helpers/run-cli.ts'
import type { CliResult } from './helpers/run-cli.ts'

/** Each of the first executions of a user leaves a note; so does setUpRun. */
const notes = (target: OwnServer) => ({
  'notes.ts': `
    import { TestCase } from 'loads-runner'
    export class TestNotes extends TestCase {
      static async setUpRun(run) {
        run.annotate('run is set up', { by: 'setUpRun' })
      }
      async test_notes() {
        await this.session.get('${target.url}/', { name: '/' })
        if (this.iteration === 0) this.annotate('deployed, "now"', { version: '2', user: String(this.user) })
      }
    }`,
})

async function eventsOf({ directory }: CliResult): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  for await (const event of readEventLog(join(directory, 'results/latest/events')))
    events.push(event as RunEvent)
  return events
}

const ofType = <T extends RunEvent['type']>(events: readonly RunEvent[], type: T) =>
  events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type)

describe('notes of tests', function () {
  this.timeout(120_000)
  before(function () {
    needInfluxd(this)
  })

  for (const [where, place, sources] of [
    ['in this process', ['--workers', '1'], ['conductor', 'local']],
    ['on two agents', ['--agents', '2'], ['agent-1', 'agent-2', 'conductor']],
  ] as const)
    it(`${where} are in the events of the run, its files, its report and its database`, async () => {
      const [target, influxd] = await Promise.all([startServer(), startInfluxd()])
      const outputs = ['-o', 'ndjson:f.ndjson', '-o', `influx:${influxd.url}/loads`]
      const run = await runCli(['notes', '--users', '2', '--iterations', '5', ...place, ...outputs], {
        files: notes(target),
      })
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      assert.equal(run.summary!.hits.count, 10)

      const found = ofType(await eventsOf(run), 'note')
      const texts = found
        .map(({ text, tags }) => `${text} ${tags['user'] ?? ''} ${JSON.stringify(tags)}`)
        .toSorted()
      assert.deepEqual(
        texts.map((text) => text.replace(/ \{.*/, '')),
        ['deployed, "now" 0', 'deployed, "now" 1', 'run is set up '],
      )
      assert.match(texts.join(), /"version":"2".*"version":"2".*"by":"setUpRun"/)
      assert.deepEqual([...new Set(found.map(({ source }) => source))].toSorted(), sources)
      const started = Date.parse(run.summary!.started!)
      for (const { at, text } of found) {
        const last = started + run.summary!.durationSeconds * 1000
        if (text.startsWith('deployed'))
          assert.ok(at >= started - 1_000 && at <= last + 20_000, `${at} of ${started}`)
        else assert.ok(at <= started + 1_000, `${at} of ${started}`)
      }

      const lines = (await readNdjson(join(run.directory, 'f.ndjson'))).filter(
        ({ event }) => event === 'note',
      )
      assert.deepEqual(
        lines.map(({ at, text, source }) => [Date.parse(String(at)), text, source]),
        found.map(({ at, text, source }) => [Math.floor(at), text, source]),
      )
      const stored = await influxd.query(`SELECT * FROM loads_events WHERE type='note'`, { db: 'loads' })
      assert.deepEqual(
        stored
          .map(({ title, source, tags }) => [title, source, tags])
          .map(String)
          .toSorted(),
        found
          .map(({ text, source, tags }) => [
            text,
            source,
            'note',
            Object.entries(tags)
              .map((tag) => tag.join(':'))
              .join(),
          ])
          .map(String)
          .toSorted(),
      )
      const { model } = await readReport(join(run.directory, 'results/latest/report.html'))
      assert.deepEqual(
        model.marks
          .filter(({ kind }) => kind === 'note')
          .map(({ source }) => source)
          .toSorted(),
        found.map(({ source }) => source).toSorted(),
      )
    })

  it('are cut where there is a flood of them, and what is missing is said in numbers', async () => {
    const target = await startServer()
    const run = await runCli(['flood', '--agents', '2', '--users', '2', '--iterations', '3'], {
      files: {
        'flood.ts': `
          import { TestCase } from 'loads-runner'
          export class TestFlood extends TestCase {
            async test_flood() {
              await this.session.get('${target.url}/')
              for (let count = 0; count < 100; count++) this.annotate('note ' + count + ' ' + 'x'.repeat(3000))
            }
          }`,
      },
    })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.equal(run.summary!.hits.count, 6)
    const events = await eventsOf(run)
    const published = ofType(events, 'note')
    const leftOut = ofType(events, 'log').reduce(
      (sum, { text }) =>
        sum +
        Number(
          /(\d+) (?:notes?|annotations of agents) were? left out/.exec(text)?.[1] ??
            /(\d+) note was left out/.exec(text)?.[1] ??
            0,
        ),
      0,
    )
    assert.ok(published.length >= 1 && published.length <= 200, `${published.length} notes`)
    assert.equal(
      published.length + leftOut,
      600,
      `${published.length} published, ${leftOut} said to be missing`,
    )
    assert.ok(published.every(({ text }) => text.length <= 500 && text.endsWith('...')))
    assert.match(run.stdout + run.stderr, /\d+ (?:notes|annotations of agents) were left out/)
  })

  it('without a text, or with tags that are no words, are errors of the test', async () => {
    const run = await runCli(['wrong', '--iterations', '2'], {
      files: {
        'wrong.ts': `
          import { TestCase } from 'loads-runner'
          export class TestWrong extends TestCase {
            async test_wrong() {
              if (this.iteration === 0) this.annotate('')
              else this.annotate('x', { version: { major: 2 } })
            }
          }`,
      },
    })
    assert.equal(run.exitCode, 1, run.stdout + run.stderr)
    assert.equal(run.summary!.tests.errors, 2)
    const messages = run.summary!.errorGroups.map(({ message }) => message).join('\n')
    assert.match(messages, /annotate\(""\): a note needs a text/)
    assert.match(messages, /annotate\(\)/)
  })
})
