import assert from 'node:assert/strict'
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunEvent } from '@loads-runner/protocol'
import { HistoryError } from '../src/errors.ts'
import { openRecording, type Recording } from '../src/recording.ts'
import { totalsOf } from '../src/totals.ts'
import { withDirectory, writeJournal, writeRun, type RunPlan } from './run-maker.ts'

const plan: RunPlan = {
  seconds: Array.from({ length: 12 }, (_, second) => [
    { micros: 10_000 + second, count: 5 },
    { micros: 50_000, count: 2, failed: 1, key: { name: '/slow', status: '500' } },
  ]),
}

async function read(recording: Recording): Promise<{ events: RunEvent[]; error: unknown }> {
  const events: RunEvent[] = []
  try {
    for await (const event of recording.events()) events.push(event)
  } catch (error) {
    return { events, error }
  }
  return { events, error: null }
}

function typesOf(events: readonly RunEvent[]): string[] {
  return [...new Set(events.map(({ type }) => type))]
}

async function changeLine(file: string, line: number, change: (text: string) => string): Promise<void> {
  const lines = (await readFile(file, 'utf8')).split('\n')
  lines[line - 1] = change(lines[line - 1]!)
  await writeFile(file, lines.join('\n'))
}

describe('openRecording', () => {
  it('reads a run directory', () =>
    withDirectory(async (directory) => {
      const summary = await writeRun(directory, plan)
      const recording = await openRecording(directory)
      assert.equal(recording.runId, 'r1')
      assert.equal(recording.path, directory)
      assert.equal(recording.kind, 'run-directory')
      assert.deepEqual(recording.summary, summary)
      assert.deepEqual(recording.source, { testDir: '/tests', includeFile: [], external: [] })
      assert.deepEqual(recording.spec.outputs, [])
      const { events, error } = await read(recording)
      assert.equal(error, null)
      assert.deepEqual(typesOf(events), ['snapshot', 'state', 'commit', 'finished'])
      assert.equal((await read(recording)).events.length, events.length, 'again')
    }))

  it('reads the journal of a broker, with a snapshot of what was submitted', () =>
    withDirectory(async (directory) => {
      const summary = await writeJournal(directory, plan)
      const recording = await openRecording(directory)
      assert.equal(recording.kind, 'journal')
      assert.equal(recording.source, null)
      assert.deepEqual(recording.summary, summary)
      const { events } = await read(recording)
      assert.deepEqual(typesOf(events), ['snapshot', 'state', 'commit', 'finished'])
      assert.equal(recording.unknownRecords, 0, 'what a broker writes for itself is known')
      const { view, aggregate } = await totalsOf(recording)
      assert.equal(view.submittedAt, 1_700_000_000_000 - 500)
      assert.equal(aggregate.hits().count, summary.hits.count)
    }))

  it('reads up to a record that a crash has torn', () =>
    withDirectory(async (directory) => {
      await writeRun(directory, { ...plan, isTorn: true })
      await appendFile(join(directory, 'events'), '{"type":"commit","at":17')
      const recording = await openRecording(directory)
      assert.equal(recording.summary, null)
      const { events, error } = await read(recording)
      assert.equal(error, null)
      assert.equal(events.length, 14)
    }))

  it('takes the summary from the events where there is no file of it', () =>
    withDirectory(async (directory) => {
      const summary = await writeRun(directory, plan)
      await rm(join(directory, 'summary.json'))
      assert.deepEqual((await openRecording(directory)).summary, summary)
      await appendFile(join(directory, 'events'), '{"torn')
      assert.deepEqual((await openRecording(directory)).summary, summary)
    }))

  it('leaves out records of a later version, and counts them', () =>
    withDirectory(async (directory) => {
      await writeRun(directory, plan)
      await changeLine(join(directory, 'events'), 3, (line) => `{"type":"hologram","at":1}\n${line}`)
      const recording = await openRecording(directory)
      const { events, error } = await read(recording)
      assert.equal(error, null)
      assert.equal(events.length, 15)
      assert.equal(recording.unknownRecords, 1)
      await read(recording)
      assert.equal(recording.unknownRecords, 1, 'of the last reading')
    }))

  for (const [what, text] of [
    ['is no JSON', '{"type":"commit",'],
    ['is no object', '[1]'],
    ['has no type', '{"at":1}'],
    ['is no valid event', '{"type":"state","at":1,"state":"flying"}'],
  ] as const)
    it(`names file and line of a record that ${what}, and gives what is before it`, () =>
      withDirectory(async (directory) => {
        await writeRun(directory, plan)
        await changeLine(join(directory, 'events'), 5, () => text)
        const recording = await openRecording(directory)
        const { events, error } = await read(recording)
        assert.equal(events.length, 4)
        assert.ok(error instanceof HistoryError)
        assert.equal(error.code, 'HISTORY_DAMAGED')
        assert.match(error.message, /events, line 5,/)
        const totals = await totalsOf(recording)
        assert.equal(totals.aggregate.hits().count, 2 * 7)
        assert.match(totals.damage!, /events, line 5,/)
      }))

  it('reads runs that were written before there were annotations, outputs and figures of windows', () =>
    withDirectory(async (directory) => {
      await writeRun(directory, plan)
      const events = join(directory, 'events')
      const older = (text: string) => {
        const record = JSON.parse(text)
        if (record.type === 'snapshot') {
          delete record.annotations
          delete record.spec.outputs
          for (const agent of record.agents) delete agent.hits
          for (const agent of record.agents) delete agent.windowsMissing
        }
        for (const window of record.windows ?? [])
          for (const name of ['hits', 'activeUsers', 'eventLoopLagMs', 'cpu', 'latenessMs'])
            delete window[name]
        return JSON.stringify(record)
      }
      for (let line = 1; line <= 14; line++) await changeLine(events, line, older)
      await changeLine(events, 3, (line) => {
        const control = { type: 'control', at: 1, elapsedMs: 1, scenario: 'main', target: 3, paused: false }
        return `${JSON.stringify(control)}\n${line}`
      })
      await changeLine(join(directory, 'run.json'), 1, (text) => text.replace(',"outputs":[]', ''))
      assert.ok(!(await readFile(join(directory, 'run.json'), 'utf8')).includes('outputs'))
      const recording = await openRecording(directory)
      assert.deepEqual(recording.spec.outputs, [])
      const { view, aggregate, damage } = await totalsOf(recording)
      assert.equal(damage, null)
      assert.equal(aggregate.hits().count, 12 * 7)
      assert.deepEqual(view.annotations, [])
      assert.equal(view.controls.get('main')?.target, 3)
    }))

  it('says what is no run, and what is damaged', () =>
    withDirectory(async (directory) => {
      const code = (expected: string) => (error: unknown) =>
        error instanceof HistoryError && error.code === expected
      await assert.rejects(openRecording(directory), code('HISTORY_NOT_A_RUN'))
      await assert.rejects(openRecording(join(directory, 'nothing')), code('HISTORY_NOT_A_RUN'))
      await writeFile(join(directory, 'run.json'), '{"runId":')
      await assert.rejects(openRecording(directory), code('HISTORY_DAMAGED'))
      await writeFile(join(directory, 'run.json'), '{"runId":"r","spec":{}}')
      await assert.rejects(openRecording(directory), code('HISTORY_DAMAGED'))
      const journal = join(directory, 'journals')
      await mkdir(journal)
      await writeFile(join(journal, 'journal'), '{"type":"state"}\n')
      await assert.rejects(openRecording(journal), code('HISTORY_DAMAGED'))
      await writeRun(join(directory, 'run'))
      await rm(join(directory, 'run', 'events'))
      const { error } = await read(await openRecording(join(directory, 'run')))
      assert.ok(code('HISTORY_NOT_A_RUN')(error))
    }))

  it('does not take a stream without its beginning for a run', () =>
    withDirectory(async (directory) => {
      await writeRun(directory, plan)
      await changeLine(join(directory, 'events'), 1, () => '{"type":"hologram"}')
      const { events, error } = await read(await openRecording(directory))
      assert.deepEqual(events, [])
      assert.match((error as Error).message, /begins with a snapshot/)
    }))
})

describe('totalsOf', () => {
  it('rebuilds what the summary says', () =>
    withDirectory(async (directory) => {
      const summary = await writeRun(directory, plan)
      const totals = await totalsOf(await openRecording(directory))
      assert.deepEqual(totals.aggregate.serviceTime().stats(), summary.serviceTime)
      assert.equal(totals.loadSeconds, 12)
      assert.equal(totals.isTorn, false)
      assert.equal(totals.state, 'done')
      assert.equal(totals.endedAt, 1_700_000_000_000 + 12_000)
      assert.deepEqual(totals.summary, summary)
    }))

  it('rebuilds a run that was killed from what it left', () =>
    withDirectory(async (directory) => {
      const whole = await writeRun(directory, { ...plan, isTorn: true })
      const totals = await totalsOf(await openRecording(directory))
      assert.equal(totals.aggregate.hits().count, whole.hits.count)
      assert.deepEqual(totals.aggregate.serviceTime().stats(), whole.serviceTime)
      assert.equal(totals.isTorn, true)
      assert.equal(totals.endedAt, null)
      assert.equal(totals.summary, null)
      assert.equal(totals.loadSeconds, 12)
      assert.equal(totals.state, 'running')
    }))

  it('survives figures that are garbage', () =>
    withDirectory(async (directory) => {
      await writeRun(directory, plan)
      await changeLine(join(directory, 'events'), 5, (text) => {
        const record = JSON.parse(text)
        return JSON.stringify({ ...record, delta: { $bytes: 'AAAA' } })
      })
      const totals = await totalsOf(await openRecording(directory))
      assert.match(totals.damage!, /figures/)
      assert.equal(totals.aggregate.hits().count, 14)
    }))

  it('cuts intervals on the way', () =>
    withDirectory(async (directory) => {
      await writeRun(directory, plan)
      const seen: [number, number][] = []
      await totalsOf(await openRecording(directory), {
        spansMs: [10_000],
        onInterval: ({ fromMs, loadMs }) => seen.push([fromMs, loadMs]),
      })
      assert.deepEqual(seen, [
        [0, 10_000],
        [10_000, 2000],
      ])
    }))
})
