import assert from 'node:assert/strict'
import type { OutputEnvironment } from '../environment.ts'
import { OutputError } from '../errors.ts'
import { OutputHost } from '../host.ts'
import { defaultLaneTimes } from '../lane.ts'
import type { Output, OutputHealth, OutputRecord } from '../output.ts'
import { fixtureRun, fixtureSummary, type FixtureOptions } from './fixture-run.ts'

/** What came out at the other end, as the test of an output reads it there. */
export interface Arrived {
  /** Hits and failed hits, the warm-up left out where `countsWarmUp` is false; null: this output carries none. */
  hits: number | null
  failed: number | null
  /** Times of what arrived, in the order in which it did, in any unit; revisions of late figures left out. Null: none. */
  times: readonly number[] | null
  /** All of it as text, for whatever a test looks for. */
  text: string
}

/** How the other side can be made to behave. */
export type Trouble =
  /** It answers with errors, or not at all: what is tried later works. */
  | 'broken'
  /** It takes what it is given and never answers. */
  | 'hanging'
  /** It refuses for good. */
  | 'refusing'

/** An output and its other side (a file, a server), fresh. */
export interface ConformanceSetting {
  output: Output
  arrived(): Promise<Arrived>
  /** Makes the other side behave so; null: well again. */
  make?(trouble: Trouble | null): Promise<void> | void
  close?(): Promise<void>
}

export interface ConformanceSubject {
  start(): Promise<ConformanceSetting>
  /** Kinds of trouble that its other side can be in. */
  troubles: readonly Trouble[]
  /** Hits of the warm-up are part of what arrives. */
  countsWarmUp: boolean
}

interface Runner {
  describe: (name: string, body: () => void) => void
  it: (name: string, body: () => Promise<void>) => void
}

/** Pauses are short, so that trouble is over soon; calls have the time they have in earnest. */
const times = { ...defaultLaneTimes, lingerMs: 50, firstPauseMs: 20, longestPauseMs: 200 }

const environment: OutputEnvironment = { cwd: process.cwd(), env: {}, log: () => {} }

/** What every output must do. Call it where tests are described (mocha, or any runner with `describe` and `it`). */
export function outputConformance(name: string, subject: ConformanceSubject): void {
  const { describe, it } = globalThis as unknown as Runner
  const can = (trouble: Trouble) => subject.troubles.includes(trouble)

  /** Starts, does, and always closes. */
  const within = (work: (setting: ConformanceSetting) => Promise<void>) => async () => {
    const setting = await subject.start()
    try {
      await work(setting)
    } finally {
      await setting.make?.(null)
      await setting.close?.()
    }
  }

  describe(`${name} as an output`, () => {
    it(
      'hands a run over whole, once, in order',
      within(async (setting) => {
        const { health, said } = await play(setting.output)
        assert.deepEqual(said, [])
        assertWritten(health)
        await assertArrived(setting, subject)
      }),
    )

    it(
      'survives names that mean something to those who read them',
      within(async (setting) => {
        const { health, said } = await play(setting.output, { names: 'hostile' })
        assert.deepEqual(said, [])
        assertWritten(health)
        await assertArrived(setting, subject)
      }),
    )

    it(
      'can be closed without having been opened',
      within(async ({ output }) => {
        await output.close()
      }),
    )

    if (can('broken')) {
      it(
        'opens when the other side comes up late, with everything that waited',
        within(async (setting) => {
          await setting.make!('broken')
          const playing = host(setting.output)
          for (const event of fixtureRun()) playing.host.take(event)
          await until(() => playing.host.health()[0]!.retries >= 2)
          await setting.make!(null)
          const [health] = await playing.host.finish(20_000)
          assertWritten(health!)
          await assertArrived(setting, subject)
        }),
      )

      it(
        'writes nothing twice and loses nothing when the other side is down for a while',
        within(async (setting) => {
          const playing = host(setting.output)
          const events = fixtureRun()
          const half = events.length >> 1
          for (const event of events.slice(0, half)) playing.host.take(event)
          await until(() => playing.host.health()[0]!.waiting === 0)
          await setting.make!('broken')
          for (const event of events.slice(half)) playing.host.take(event)
          await until(() => playing.host.health()[0]!.retries >= 2)
          await setting.make!(null)
          const [health] = await playing.host.finish(20_000)
          assertWritten(health!)
          await assertArrived(setting, subject)
        }),
      )
    }

    if (can('hanging')) {
      it(
        'ends a write when it is told to',
        within(async (setting) => {
          const { output } = setting
          const records = await recordsFor(output)
          await setting.make!('hanging')
          const controller = new AbortController()
          const writing = output.write(records, controller.signal)
          const ended = writing.then(
            () => 'ended',
            () => 'ended',
          )
          // It must hang first, or this shows nothing.
          assert.equal(await Promise.race([ended, after(200, 'hangs')]), 'hangs')
          controller.abort(new OutputError('OUTPUT_TIMEOUT', 'too long'))
          assert.equal(await Promise.race([ended, after(5_000, 'hangs')]), 'ended')
          await setting.make!(null)
          await output.close()
        }),
      )
    }

    if (can('refusing')) {
      it(
        'says so when it is refused for good, and is left alone then',
        within(async (setting) => {
          await setting.make!('refusing')
          const { health, said } = await play(setting.output)
          assert.equal(health.retries, 0)
          assert.notEqual(health.trouble, null)
          assert.ok(health.dropped > 0)
          assert.ok(said[0]?.startsWith(`output ${setting.output.name} was refused: `), said.join('\n'))
        }),
      )
    }
  })
}

/** Plays the fixture through a host with this output alone. */
async function play(
  output: Output,
  options: FixtureOptions = {},
): Promise<{ health: OutputHealth; said: string[] }> {
  const playing = host(output)
  for (const event of fixtureRun(options)) playing.host.take(event)
  const [health] = await playing.host.finish(20_000)
  return { health: health!, said: playing.said }
}

function host(output: Output): { host: OutputHost; said: string[] } {
  const said: string[] = []
  return {
    said,
    host: new OutputHost({ outputs: [output], environment, onTrouble: (text) => said.push(text), times }),
  }
}

/** What the output gets of the fixture, all but the end; it is open then. */
async function recordsFor(output: Output): Promise<OutputRecord[]> {
  const records: OutputRecord[] = []
  const catcher: Output = {
    name: 'catcher',
    wants: output.wants,
    spansMs: output.spansMs,
    batch: 1_000,
    open: (run) => output.open(run),
    write: async (given) => void records.push(...given),
    close: async () => {},
  }
  await play(catcher)
  return records.filter(({ type }) => type !== 'end')
}

function assertWritten(health: OutputHealth): void {
  assert.equal(health.trouble, null)
  assert.equal(health.dropped, 0)
  assert.equal(health.waiting, 0)
}

async function assertArrived(setting: ConformanceSetting, subject: ConformanceSubject): Promise<void> {
  const { hits, warmUp } = fixtureSummary()
  const arrived = await setting.arrived()
  // In the warm-up, six of forty hits fail: three of twenty, as in all other seconds.
  const early = subject.countsWarmUp ? warmUp!.hits : 0
  if (arrived.hits !== null) assert.equal(arrived.hits, hits.count + early)
  if (arrived.failed !== null) assert.equal(arrived.failed, hits.failed + early * (hits.failed / hits.count))
  if (arrived.times !== null) {
    assert.ok(arrived.times.length > 0)
    assert.deepEqual(
      arrived.times,
      arrived.times.toSorted((one, other) => one - other),
    )
  }
  assert.notEqual(arrived.text, '')
}

/** A state that comes soon, looked for often: what has no event to wait for. */
async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!isSo()) {
    assert.ok(performance.now() < deadline, 'it did not come to that in 20 s')
    await after(5, null)
  }
}

function after<T>(ms: number, value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(value), ms))
}
