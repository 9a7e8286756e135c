import assert from 'node:assert/strict'
import { Aggregate, type Delta } from '@loads-runner/metrics'
import { OutputError } from '../src/errors.ts'
import { OutputHost } from '../src/host.ts'
import type { LaneTimes } from '../src/lane.ts'
import type { QueueLimits } from '../src/lane-queue.ts'
import type { Output } from '../src/output.ts'
import { fixtureRun, fixtureSeconds, fixtureSummary } from '../src/testing.ts'
import { enoughMs, environmentOf, impatientTimes, quickTimes, RecordingOutput } from './recording-output.ts'

const never = new Promise<void>(() => {})

function hostOf(outputs: Output[], changes: { limits?: QueueLimits; times?: LaneTimes } = {}) {
  const said: string[] = []
  const environment = environmentOf()
  const host = new OutputHost({
    outputs,
    environment,
    onTrouble: (text) => said.push(text),
    times: quickTimes,
    ...changes,
  })
  return { host, said, environment }
}

function hitsOf(deltas: Iterable<Delta>): { count: number; failed: number } {
  const aggregate = new Aggregate()
  for (const delta of deltas) aggregate.apply(delta)
  const { count, failed } = aggregate.hits()
  return { count, failed }
}

const totals = fixtureSummary()
const counted = { count: totals.hits.count, failed: totals.hits.failed }

describe('OutputHost', () => {
  it('hands over figures, intervals, events and the end, in order, and adds up to the summary', async () => {
    const output = new RecordingOutput({ spansMs: [1_000, 10_000] })
    const { host, said } = hostOf([output])
    for (const event of fixtureRun()) host.take(event)
    const [health] = await host.finish(5_000)

    const figures = output.ofType('figures').filter(({ warmUp }) => !warmUp)
    assert.deepEqual(hitsOf(figures.map(({ delta }) => delta)), counted)
    const ones = output.ofType('interval').filter(({ interval }) => interval.spanMs === 1_000)
    const last = new Map(ones.map(({ interval }) => [interval.fromMs, interval]))
    assert.equal(last.size, fixtureSeconds)
    const after = [...last.values()].filter(({ warmUp }) => !warmUp)
    assert.deepEqual(hitsOf(after.map(({ delta }) => delta)), counted)
    assert.deepEqual(
      output
        .ofType('event')
        .map(({ event }) => event.type)
        .filter((type) => !['state', 'agent'].includes(type)),
      ['note', 'fault', 'control', 'fault', 'observation', 'log', 'thresholds'],
    )
    assert.deepEqual(output.records.at(-1), { type: 'end', summary: totals })
    assert.deepEqual([output.opened, output.closed, output.mostWriting], [1, 1, 1])
    assert.equal(health!.written, output.records.length)
    assert.deepEqual([health!.dropped, health!.waiting, health!.trouble], [0, 0, null])
    assert.deepEqual(said, [])
  })

  it('gives an output only what it wants, in batches of its size', async () => {
    const output = new RecordingOutput({ wants: new Set(['interval', 'end']), spansMs: [10_000], batch: 3 })
    const { host } = hostOf([output])
    for (const event of fixtureRun()) host.take(event)
    await host.finish(5_000)
    assert.deepEqual(
      output.records.map((record) => record.type),
      ['interval', 'interval', 'end'],
    )
    assert.deepEqual(output.batches, [3])
  })

  it('decodes nothing for outputs that wait for the end', async () => {
    const output = new RecordingOutput({ wants: new Set(['end']) })
    const { host, said } = hostOf([output])
    for (const event of fixtureRun())
      host.take(event.type === 'commit' ? { ...event, delta: new Uint8Array([255]) } : event)
    await host.finish(5_000)
    assert.deepEqual(output.records, [{ type: 'end', summary: totals }])
    assert.deepEqual(said, [])
  })

  it('says once that figures could not be read, and goes on', async () => {
    const output = new RecordingOutput()
    const { host, said } = hostOf([output])
    for (const event of fixtureRun())
      host.take(event.type === 'commit' ? { ...event, delta: new Uint8Array([255]) } : event)
    await host.finish(5_000)
    assert.equal(said.length, 1)
    assert.match(said[0]!, /could not be read \(commit\)/)
    assert.equal(output.records.at(-1)!.type, 'end')
  })

  it('begins anywhere in a run: figures add up to the totals', async () => {
    const events = fixtureRun()
    const first = new RecordingOutput()
    const { host } = hostOf([first])
    for (const event of events) host.take(event)
    await host.finish(5_000)

    // What a reader gets who comes late: all totals in the snapshot.
    const { RunView } = await import('@loads-runner/history')
    const { DeltaEncoder } = await import('@loads-runner/metrics')
    const view = new RunView()
    const middle = events.findIndex(({ type }) => type === 'fault')
    for (const event of events.slice(0, middle)) view.apply(event)
    const whole = new DeltaEncoder().encodeFull(view.aggregate.toDelta())
    const snapshot = { ...(events[0] as Extract<(typeof events)[number], { type: 'snapshot' }>) }
    const late = new RecordingOutput()
    const second = hostOf([late])
    second.host.take({
      ...snapshot,
      state: 'running',
      startedAt: view.startedAt,
      elapsedMs: 6_000,
      delta: whole,
    })
    await second.host.finish(5_000)
    const sum = hitsOf(late.ofType('figures').map(({ delta }) => delta))
    const { count, failed } = view.aggregate.hits()
    assert.deepEqual(sum, { count, failed })
    assert.ok(count > 0)
  })

  it('keeps a broken output away from the others', async () => {
    const good = new RecordingOutput({ name: 'good' })
    const hanging = new RecordingOutput({ name: 'hanging' })
    hanging.beforeWrite = () => never
    const throwing = new RecordingOutput({ name: 'throwing' })
    throwing.write = () => {
      throw new TypeError('no promise, no mercy')
    }
    const neverOpen = new RecordingOutput({ name: 'never-open' })
    neverOpen.beforeOpen = () => never
    neverOpen.beforeClose = () => never
    const { host, said } = hostOf([hanging, throwing, neverOpen, good], { times: impatientTimes })
    for (const event of fixtureRun()) host.take(event)
    const began = performance.now()
    const health = await host.finish(1_500)
    const took = performance.now() - began
    assert.ok(took >= 1_000 && took < 40_000, `${took} ms`)
    assert.deepEqual(
      hitsOf(
        good
          .ofType('figures')
          .filter(({ warmUp }) => !warmUp)
          .map(({ delta }) => delta),
      ),
      counted,
    )
    const of = (name: string) => health.find((each) => each.name === name)!
    assert.equal(of('good').dropped, 0)
    for (const name of ['hanging', 'throwing', 'never-open']) {
      assert.ok(of(name).dropped > 20, name)
      assert.ok(
        said.some((line) => line.startsWith(`output ${name} does not work:`)),
        name,
      )
      assert.ok(
        said.some((line) => line.startsWith(`output ${name}: `) && line.includes('lost')),
        name,
      )
    }
    assert.match(of('throwing').trouble!, /no promise, no mercy/)
    assert.ok(!said.some((line) => line.includes('output good')))
  })

  it('survives listeners that throw', async () => {
    const output = new RecordingOutput()
    output.beforeWrite = () => {
      throw new OutputError('OUTPUT_REFUSED', 'no')
    }
    const environment = environmentOf()
    const host = new OutputHost({
      outputs: [output],
      environment,
      times: quickTimes,
      onTrouble: () => {
        throw new Error('not now')
      },
    })
    for (const event of fixtureRun()) host.take(event)
    const [health] = await host.finish(2_000)
    assert.ok(health!.dropped > 0)
    assert.ok(environment.lines.some((line) => line.includes('not now')))
  })

  it('ends without a summary where its run was lost sight of, and writes nothing without a run', async () => {
    const output = new RecordingOutput()
    const { host } = hostOf([output])
    for (const event of fixtureRun()) if (event.type !== 'finished') host.take(event)
    await host.finish(5_000)
    assert.deepEqual(output.records.at(-1), { type: 'end', summary: null })

    const idle = new RecordingOutput()
    await hostOf([idle]).host.finish(1_000)
    assert.deepEqual([idle.opened, idle.closed, idle.records.length], [0, 0, 0])
  })

  it('loses nothing of a run that is replayed faster than it was, where the replay waits for it', async () => {
    const output = new RecordingOutput({ wants: new Set(['event', 'end']) })
    output.beforeWrite = () => new Promise((resolve) => setImmediate(resolve))
    const { host, said } = hostOf([output], { limits: { records: 20, bytes: 1e9, mergeFrom: 100 } })
    const [snapshot] = fixtureRun()
    host.take(snapshot!)
    for (let index = 0; index < 200; index++) {
      host.take({ type: 'log', at: index, level: 'info', source: 'x', text: String(index) })
      await host.ready()
    }
    const [health] = await host.finish(enoughMs)
    assert.deepEqual([health!.dropped, health!.written], [0, 201])
    assert.deepEqual(said, [])
  })

  it('shows outputs no secret of the run', async () => {
    const output = new RecordingOutput({ wants: new Set(['raw', 'end']) })
    const { host } = hostOf([output])
    for (const event of fixtureRun())
      host.take(
        event.type === 'snapshot'
          ? { ...event, spec: { ...event.spec, secrets: { KEY: 'hunter2' } } }
          : event,
      )
    await host.finish(5_000)
    assert.deepEqual(output.run!.spec.secrets, { KEY: '[redacted]' })
    assert.ok(!JSON.stringify(output.records).includes('hunter2'))
    assert.equal(output.ofType('raw').length, fixtureRun().length)
  })
})
