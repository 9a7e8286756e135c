import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import type { RunSpec } from '@loads-runner/protocol'
import type { ExternallyControlled } from '@loads-runner/testcase/load'
import { RunnerError } from '../../src/errors.ts'
import { parseObjective } from '../../src/capacity/objective.ts'
import { CapacityPilot } from '../../src/capacity/pilot.ts'
import type { PilotOptions } from '../../src/capacity/pilot.ts'
import type { WatchedRun } from '../../src/watch-run.ts'
import { SimulatedRun } from './simulated-target.ts'
import type { Answering } from './simulated-target.ts'

const model: ExternallyControlled = {
  type: 'externally-controlled',
  controls: 'rate',
  start: 0,
  durationMs: null,
  spacing: 'uniform',
  users: 1000,
  maxLateMs: 5000,
}

function specOf(changes: Partial<ExternallyControlled>): RunSpec {
  const scenario = {
    name: 'default',
    tests: [],
    startMs: 0,
    stages: [{ ...model, ...changes }],
    tags: {},
    params: {},
  }
  const profile = { scenarios: [{ ...scenario, pause: { type: 'none' }, gracefulStopMs: 1000 }] }
  return {
    profile,
    windowMs: 1000,
    warmUpMs: 0,
    thresholds: [{ expression: 'errors<1%' }],
  } as unknown as RunSpec
}

interface Driven {
  pilot: CapacityPilot
  /** Loads that were asked for, in order. */
  asked: number[]
  seconds: number
  stopped: boolean
}

/** Has a pilot find the capacity of a simulated target, a second of virtual time after the other. */
async function drive(
  answer: (target: number, second: number) => Answering,
  options: Partial<PilotOptions> & {
    model?: Partial<ExternallyControlled>
    objective?: string
    before?: (second: number, pilot: CapacityPilot) => void
    refuse?: (request: number) => Error | null
    endAt?: number
  } = {},
): Promise<Driven> {
  let seconds = 0
  let stopped = false
  let requests = 0
  const asked: number[] = []
  const pilot = new CapacityPilot({
    thresholds: parseObjective(options.objective ?? 'p(95)<200, errors<1%'),
    stepMs: 5000,
    most: null,
    tolerance: 0.05,
    start: null,
    bounded: false,
    onStep: () => {},
    now: () => seconds * 1000,
    ...options,
  })
  const spec = pilot.plan(specOf(options.model ?? {}))
  assert.deepEqual(spec.thresholds, [])
  const planned = spec.profile.scenarios[0]!.stages[0] as ExternallyControlled
  const run = new SimulatedRun(planned.start, planned.controls, (target) => answer(target, seconds))
  const connection = {
    async request(type: string, { target }: { target: number }) {
      if (type === 'stop') stopped = true
      if (type !== 'control') return {}
      const error = options.refuse?.(requests++) ?? null
      if (error !== null) throw error
      asked.push(target)
      run.target = target
      return {}
    },
  }
  pilot.begin({ connection } as unknown as WatchedRun, 'r1')
  pilot.take({ type: 'state', at: 0, state: 'running', startedAt: 0, stage: 0, note: '' })
  while (!stopped && seconds < 5000 && seconds !== options.endAt) {
    await turn()
    seconds++
    options.before?.(seconds, pilot)
    pilot.take(run.second().event)
  }
  return { pilot, asked, seconds, stopped }
}

const knee =
  (at: number) =>
  (target: number): Answering => ({ millis: target <= at ? 20 : 900 })

describe('capacity/pilot', () => {
  it('finds the rate that a target holds, and stops the run', async () => {
    const { pilot, asked, stopped } = await drive(knee(300))
    await pilot.close()
    assert.ok(stopped && pilot.complete)
    const { target, failsAt, limit, confirmed } = pilot.answer!
    assert.ok(target! <= 300 && failsAt! > 300 && failsAt! - target! <= 0.05 * failsAt!)
    assert.equal(limit, 'target')
    assert.ok(confirmed)
    // The first load is that of the plan; later ones are asked for, rests between them.
    assert.deepEqual(asked.slice(0, 7), [10, 20, 40, 80, 160, 320, 80])
    const last = pilot.steps.at(-1)!
    assert.equal(last.purpose, 'hold')
    assert.ok(last.seconds >= 10, `${last.seconds} s`)
    assert.equal(Math.round(last.startedPerSecond), Math.round(target!))
    assert.equal(Math.round(last.p95!), 20)
    assert.deepEqual(
      last.standings.map(({ expression, ok }) => `${expression} ${ok}`),
      ['http_req_duration: p(95)<200 true', 'errors<1% true'],
    )
  })

  it('finds users, whole ones', async () => {
    const { pilot } = await drive(knee(37), {
      model: { controls: 'users', users: 500, start: 500 },
      tolerance: 0.01,
    })
    await pilot.close()
    const { target, failsAt } = pilot.answer!
    assert.deepEqual([target, failsAt], [37, 38])
    assert.equal(pilot.steps[0]!.target, 1)
  })

  it('judges errors, too', async () => {
    const { pilot } = await drive((target) => ({ millis: 5, errorShare: target > 100 ? 0.1 : 0 }))
    assert.ok(pilot.answer!.target! <= 100 && pilot.answer!.target! > 90)
    assert.ok(pilot.steps.some(({ badShare }) => badShare! > 0.05))
  })

  it('measures longer where a quantile needs more samples', async () => {
    const { pilot } = await drive(knee(300), { start: 4, most: 4, objective: 'p(95)<200' })
    // 5 s at 4/s give 20 samples; a p95 needs 200 of them.
    assert.equal(pilot.steps[0]!.outcome, 'unclear')
    assert.match(pilot.steps[0]!.reasons[0]!, /^too few samples for http_req_duration: p\(95\)<200: 80$/)
    const more = await drive(knee(300), { start: 16, most: 16, objective: 'p(95)<200' })
    assert.equal(more.pilot.steps[0]!.outcome, 'held')
    assert.equal(more.pilot.steps[0]!.seconds, 13)
  })

  it('names the generator where it lags, drops starts with all users busy, or makes less than was asked', async () => {
    const limits: [(target: number) => Answering, RegExp][] = [
      [(target) => ({ millis: target > 100 ? 250 : 5, lagMs: target > 100 ? 50 : 0 }), /event loops lagged/],
      [
        (target) => ({
          millis: 5,
          startedPerSecond: Math.min(target, 100),
          droppedPerSecond: target > 100 ? 1 : 0,
        }),
        /\d+ starts dropped with all 10 users busy, 100\.0 of 160 executions started per second/,
      ],
      [
        (target) => ({ millis: 5, startedPerSecond: Math.min(target, 100) }),
        /100\.0 of \d+ executions started per second/,
      ],
    ]
    for (const [answer, reason] of limits) {
      const { pilot } = await drive(answer, { model: { users: 10 } })
      assert.equal(pilot.answer!.limit, 'generator')
      assert.ok(pilot.answer!.target! > 90 && pilot.answer!.target! <= 103, `${pilot.answer!.target}`)
      assert.match(pilot.steps.find(({ outcome }) => outcome === 'limited')!.reasons.join(', '), reason)
    }
  })

  it('lets a load hold that a busy generator found fast enough', async () => {
    const { pilot } = await drive((target) => ({ millis: 5, lagMs: target > 100 ? 50 : 0 }), { most: 200 })
    assert.deepEqual(pilot.answer, { target: 200, failsAt: null, limit: 'most', confirmed: true })
    assert.match(pilot.steps.at(-1)!.reasons[0]!, /event loops lagged/)
  })

  it('is the target’s limit where it fails by more than a busy generator explains', async () => {
    const slow = await drive((target) => ({ millis: target > 100 ? 900 : 5, lagMs: 50 }))
    assert.equal(slow.pilot.answer!.limit, 'target')
    const broken = await drive((target) => ({ millis: 5, errorShare: target > 100 ? 0.1 : 0, lagMs: 50 }))
    assert.equal(broken.pilot.answer!.limit, 'target')
  })

  it('is the target’s limit where starts are dropped because it is slow', async () => {
    const slow = (target: number) =>
      target > 100 ? { millis: 3000, startedPerSecond: 50, droppedPerSecond: 5 } : { millis: 5 }
    const { pilot } = await drive(slow, { model: { users: 10 } })
    assert.equal(pilot.answer!.limit, 'target')
  })

  it('looks twice: a hiccup of the target does not decide', async () => {
    const { pilot } = await drive((target, second) => ({
      millis: target > 300 || (second > 14 && second < 19) ? 900 : 20,
    }))
    assert.ok(pilot.steps.some(({ outcome, target }) => outcome === 'failed' && target < 300))
    assert.ok(pilot.answer!.target! > 280)
  })

  it('measures a step again when an agent is lost in it', async () => {
    const agent = {
      id: 'b',
      incarnation: 'i',
      host: 'h',
      state: 'lost' as const,
      activeUsers: 0,
      hits: 0,
      windows: 1,
      windowsMissing: 0,
    }
    const plain = await drive(knee(300))
    const shaken = await drive(knee(300), {
      before: (second, pilot) => {
        if (second === 7) pilot.take({ type: 'agent', at: 0, agent, note: '' })
      },
    })
    assert.deepEqual(shaken.pilot.answer, plain.pilot.answer)
    assert.equal(shaken.pilot.steps.length, plain.pilot.steps.length)
    assert.ok(shaken.seconds > plain.seconds)
  })

  it('waits for a broker that is away, and stops the run when it refuses', async () => {
    const lost = new RunnerError('RUNNER_BROKER_LOST', 'gone')
    const away = await drive(knee(300), {
      refuse: (request) => (request === 3 || request === 4 ? lost : null),
    })
    await away.pilot.close()
    assert.ok(away.pilot.complete)
    const refused = await drive(knee(300), {
      refuse: (request) => (request === 3 ? new RunnerError('RUNNER_REFUSED', 'no such scenario') : null),
    })
    assert.ok(refused.stopped && !refused.pilot.complete)
    await assert.rejects(refused.pilot.close(), /no such scenario/)
  })

  it('says what it knows when the run ends before', async () => {
    const { pilot } = await drive(knee(300), { endAt: 40 })
    pilot.take({ type: 'finished', at: 0, state: 'aborted', summary: '{}' })
    await pilot.close()
    assert.ok(!pilot.complete)
    assert.ok(pilot.answer!.target! >= 10 && pilot.answer!.failsAt === null)
  })

  it('goes on as long as it needs, unless it was told how long', () => {
    const spec = specOf({ durationMs: 5000 })
    for (const bounded of [false, true]) {
      const pilot = new CapacityPilot({
        thresholds: [],
        stepMs: 1000,
        most: null,
        tolerance: 0.05,
        start: null,
        bounded,
        onStep: () => {},
      })
      const [stage] = pilot.plan(spec).profile.scenarios[0]!.stages
      assert.equal((stage as ExternallyControlled).durationMs, bounded ? 5000 : null)
    }
  })

  it('refuses runs that one number cannot drive', () => {
    const pilot = new CapacityPilot({
      thresholds: [],
      stepMs: 1000,
      most: null,
      tolerance: 0.05,
      start: null,
      bounded: false,
      onStep: () => {},
    })
    const spec = specOf({})
    const two = {
      ...spec,
      profile: { scenarios: ['a', 'b'].map((name) => ({ ...spec.profile.scenarios[0]!, name })) },
    }
    assert.throws(
      () => pilot.plan(two),
      /--find-capacity drives one scenario with one load; this run has a, b/,
    )
  })
})
