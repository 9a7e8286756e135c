import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { FaultScope } from '../../src/proxy/fault-scope.ts'
import { FaultSchedule } from '../../src/schedule/fault-schedule.ts'
import { parseSchedule } from '../../src/schedule/read-schedule.ts'
import type { StepEvent } from '../../src/schedule/step.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeTarget } from '../support/fake-target.ts'

const world = { proxies: { web: 'http', db: 'tcp' }, endpoints: ['a', 'b'] }

/** A schedule on a clock and proxies of a test. */
class Played {
  readonly clock = new FakeClock()
  readonly web = new FakeTarget()
  readonly db = new FakeTarget()
  readonly events: StepEvent[] = []
  readonly parted: string[] = []
  readonly schedule: FaultSchedule

  constructor(written: unknown) {
    this.schedule = new FaultSchedule(parseSchedule(written, world), {
      target: (name) => (name === 'web' ? this.web : this.db),
      partitions: {
        partition: (groups) => {
          const what = JSON.stringify(groups)
          this.parted.push(what)
          const end = async () => void this.parted.splice(this.parted.indexOf(what), 1)
          return { end, [Symbol.asyncDispose]: end } satisfies FaultScope
        },
      },
      clock: this.clock,
      onStep: (event) => this.events.push(event),
    })
  }

  get told(): string[] {
    return this.events.map(({ state, step, sinceMs }) => `${sinceMs} ${state} ${step}`)
  }
}

describe('a schedule of faults', () => {
  it('does things at their time and for theirs, overlapping ones side by side', async () => {
    const played = new Played([
      { at: 30, for: 10, proxy: 'web', fault: 'error', statuses: 503, rate: 0.2 },
      { at: 35, for: 10, proxy: 'web', fault: 'error', statuses: 500 },
      { at: 35, for: 1, proxy: 'db', behavior: 'delay', sleep: 2 },
      { proxy: 'db', fault: 'noop' },
    ])
    await played.clock.pass(10_000)
    assert.deepEqual(played.web.log, [])
    played.schedule.start()
    await played.clock.pass(29_999)
    assert.ok(played.web.isUntouched)
    await played.clock.pass(6000)
    assert.deepEqual([...played.web.active], ['schedule_1_error', 'schedule_2_error'])
    assert.deepEqual(played.db.behaviors.length, 1)
    await played.clock.pass(60_000)
    assert.deepEqual(played.told, [
      '0 begins 4',
      '30000 begins 1',
      '35000 begins 2',
      '35000 begins 3',
      '36000 ends 3',
      '40000 ends 1',
      '45000 ends 2',
    ])
    assert.ok(played.web.isUntouched)
    assert.ok(!played.db.isUntouched)
    assert.deepEqual(await played.schedule.stop(), { notUndone: [] })
    assert.ok(played.db.isUntouched)
    assert.equal(played.told.at(-1), '95999 ends 4')
    assert.equal(played.clock.waiting, 0)
  })

  it('begins again every so often, so many times', async () => {
    const played = new Played([{ at: 1, every: 60, for: 5, times: 3, proxy: 'db', fault: 'noop' }])
    played.schedule.start()
    await played.clock.pass(600_000)
    assert.deepEqual(
      played.told,
      [1, 61, 121].flatMap((at) => [`${at * 1000} begins 1`, `${(at + 5) * 1000} ends 1`]),
    )
    assert.deepEqual(
      played.events.map(({ run }) => run),
      [1, 1, 2, 2, 3, 3],
    )
  })

  it('goes by requests and bytes since its start', async () => {
    const played = new Played([
      { afterRequests: 1000, proxy: ['web', 'db'], for: 2, fault: 'noop' },
      { afterBytes: '1KB', of: 'db', proxy: 'web', down: true },
    ])
    played.web.requests = 5000
    played.schedule.start()
    await played.clock.pass(1000)
    played.web.requests += 600
    played.db.requests += 399
    played.db.bytes = 999
    await played.clock.pass(1000)
    assert.deepEqual(played.told, [])
    played.db.requests++
    await played.clock.pass(100)
    assert.deepEqual(played.told, ['2100 begins 1'])
    played.db.bytes++
    await played.clock.pass(3000)
    assert.deepEqual(played.told.slice(1), ['2200 begins 2', '4100 ends 1'])
    assert.equal(played.web.enabled, false)
    await played.schedule.stop()
    assert.ok(played.web.isUntouched)
  })

  it('goes by the phases of a load; scenarios go on side by side', async () => {
    const played = new Played([
      { phase: 'ramp-up', proxy: 'db', fault: 'noop' },
      { phase: 'steady', for: 3, proxy: 'db', fault: 'noop' },
      { phase: 'scenario buyers', proxy: 'web', fault: 'noop' },
      { phase: 'steady', every: 10, for: 1, proxy: 'web', down: true },
    ])
    const { schedule, clock } = played
    schedule.phase('ramp up')
    assert.equal(played.web.log.length, 0)
    schedule.start()
    schedule.phase('ramp up')
    schedule.phase('Ramp-Up')
    await clock.pass(5000)
    schedule.phase('scenario buyers')
    schedule.phase('steady')
    await clock.pass(11_500)
    schedule.phase('ramp-down')
    await clock.pass(60_000)
    schedule.phaseEnds('scenario buyers')
    await clock.pass(0)
    // What happens at one time is told in any order.
    assert.deepEqual(played.told.slice(1, 5).sort(), [
      '5000 begins 2',
      '5000 begins 3',
      '5000 begins 4',
      '5000 ends 1',
    ])
    assert.deepEqual(played.told.slice(5), [
      '6000 ends 4',
      '8000 ends 2',
      '15000 begins 4',
      '16000 ends 4',
      '76500 ends 3',
    ])
    assert.ok(played.web.isUntouched && played.db.isUntouched)
  })

  it('takes a proxy down once however many steps say so, and leaves down what was', async () => {
    const steps = [
      { at: 1, for: 5, proxy: 'db', down: true },
      { at: 3, for: 5, proxy: 'db', down: true },
    ]
    const played = new Played(steps)
    played.schedule.start()
    await played.clock.pass(10_000)
    assert.deepEqual(played.db.log, ['disable', 'enable'])
    assert.deepEqual(played.told.at(-1), '8000 ends 2')
    const dark = new Played(steps)
    dark.db.enabled = false
    dark.schedule.start()
    await dark.clock.pass(10_000)
    assert.deepEqual(dark.db.log, [])
  })

  it('parts endpoints, and heals', async () => {
    const played = new Played([{ at: 1, for: 2, partition: [['a'], ['b']] }])
    played.schedule.start()
    await played.clock.pass(2000)
    assert.deepEqual(played.parted, ['[["a"],["b"]]'])
    assert.deepEqual(played.events[0]?.whom, ['a', 'b'])
    await played.clock.pass(2000)
    assert.deepEqual(played.parted, [])
  })

  it('tells what failed, undoes the rest of that step, and goes on with the others', async () => {
    const played = new Played([
      { at: 1, for: 5, proxy: ['web', 'db'], fault: 'noop' },
      { at: 2, proxy: 'web', fault: 'noop' },
    ])
    played.db.before = (call) => {
      if (call.startsWith('+')) throw new Error('gone')
    }
    played.schedule.start()
    await played.clock.pass(10_000)
    assert.deepEqual(played.told, ['1000 failed 1', '2000 begins 2'])
    assert.equal(played.events[0]?.detail, 'gone')
    assert.deepEqual([...played.web.active], ['schedule_2_noop'])
    assert.deepEqual(await played.schedule.stop(), { notUndone: [] })
    assert.ok(played.web.isUntouched)
  })

  it('tells how late a step was, and ends it at its time all the same', async () => {
    const played = new Played([{ at: 1, for: 5, proxy: 'db', fault: 'noop' }])
    played.db.before = (call) =>
      call.startsWith('+') ? new Promise((resolve) => void played.clock.after(3000, resolve)) : undefined
    played.schedule.start()
    await played.clock.pass(10_000)
    assert.deepEqual(played.told, ['4000 begins 1', '6000 ends 1'])
    assert.deepEqual(
      played.events.map(({ lateMs }) => lateMs),
      [3000, 0],
    )
  })

  it('gives up a proxy that does not answer; what comes true later is undone', async () => {
    const played = new Played([{ at: 1, proxy: 'db', fault: 'noop' }])
    let answer = (): void => {}
    played.db.before = (call) =>
      call.startsWith('+') ? new Promise<void>((resolve) => (answer = resolve)) : undefined
    played.schedule.start()
    await played.clock.pass(30_000)
    assert.deepEqual(played.told, ['16000 failed 1'])
    assert.match(played.events[0]!.detail!, /no answer within 15 s/)
    const { notUndone } = await played.schedule.stop()
    assert.deepEqual(notUndone, [
      { step: 1, name: 'noop at db', detail: 'it was asked for, and never answered' },
    ])
    answer()
    await played.clock.pass(1)
    assert.deepEqual(played.db.log, ['+schedule_1_noop', '-schedule_1_noop'])
    assert.ok(played.db.isUntouched)
  })

  it('stop tells what could not be undone, and tries again what had failed', async () => {
    const played = new Played([
      { for: 1, proxy: 'web', fault: 'noop' },
      { proxy: 'db', down: true },
    ])
    let isStubborn = true
    played.web.before = (call) => {
      if (call.startsWith('-') && isStubborn) throw new Error('busy')
    }
    played.db.before = (call) => {
      if (call === 'enable') throw new Error('address already in use')
    }
    played.schedule.start()
    await played.clock.pass(2000)
    assert.deepEqual(played.told, ['0 begins 1', '0 begins 2', '1000 failed 1'])
    isStubborn = false
    assert.deepEqual(await played.schedule.stop(), {
      notUndone: [{ step: 2, name: 'db down', detail: 'address already in use' }],
    })
    assert.ok(played.web.isUntouched)
    assert.equal(await played.schedule.stop(), await played.schedule.stop())
    assert.throws(() => played.schedule.start(), { code: 'CHAOS_STATE' })
  })

  it('whatever happens, after stop everything is as before, or told', async () => {
    const seconds = fc.integer({ min: 0, max: 20 })
    const action = fc.oneof(
      fc.record({ fault: fc.constant('noop') }),
      fc.record({ behavior: fc.constantFrom('delay', 'dummy', 'hang') }),
      fc.record({ down: fc.constant(true) }),
    )
    const trigger = fc.oneof(
      fc.record({ at: seconds }),
      fc.record({ phase: fc.constantFrom('one', 'two', 'scenario x') }),
      fc.record({ afterRequests: fc.integer({ min: 1, max: 50 }) }),
    )
    const lasts = fc.oneof(fc.constant({}), fc.record({ for: fc.integer({ min: 1, max: 10 }) }))
    const proxy = fc.record({ proxy: fc.constantFrom<string | string[]>('web', 'db', ['web', 'db']) })
    const step = fc.tuple(action, trigger, lasts, proxy).map((parts) => Object.assign({}, ...parts) as object)
    const happening = fc.oneof(
      fc.record({ pass: fc.integer({ min: 0, max: 5000 }) }),
      fc.record({ phase: fc.constantFrom('one', 'two', 'scenario x') }),
      fc.record({ ends: fc.constantFrom('one', 'two', 'scenario x') }),
      fc.record({ requests: fc.integer({ min: 0, max: 40 }) }),
    )
    // Of each call in turn: it works, fails before anything is done, or takes some time.
    const luck = fc.array(fc.constantFrom<'well' | 'fails' | number>('well', 'well', 'fails', 100, 20_000), {
      maxLength: 30,
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 8 }),
        fc.array(happening, { maxLength: 12 }),
        luck,
        async (steps, happenings, fates) => {
          const played = new Played(steps)
          const { web, db, clock, schedule } = played
          const left = [...fates]
          for (const target of [web, db])
            target.before = () => {
              const fate = left.shift() ?? 'well'
              if (fate === 'fails') throw new Error('fails')
              return fate === 'well' ? undefined : new Promise((resolve) => void clock.after(fate, resolve))
            }
          schedule.start()
          for (const each of happenings) {
            if ('pass' in each) await clock.pass(each.pass)
            else if ('phase' in each) schedule.phase(each.phase)
            else if ('ends' in each) schedule.phaseEnds(each.ends)
            else web.requests += each.requests
          }
          const stopped = schedule.stop()
          let remains: Awaited<typeof stopped> | null = null
          void stopped.then((found) => (remains = found))
          // All turns of all steps, however slow, and what came true late.
          for (let i = 0; i < 60 && (remains === null || clock.waiting > 0); i++) await clock.pass(30_000)
          assert.ok(remains !== null, 'stop never came to an end')
          const { notUndone } = remains as Awaited<typeof stopped>
          if (notUndone.length === 0) assert.ok(web.isUntouched && db.isUntouched)
          // Nothing begins any more.
          const before = web.log.length + db.log.length
          schedule.phase('one')
          web.requests += 1000
          await clock.pass(100_000)
          assert.equal(web.log.length + db.log.length, before)
          assert.equal(clock.waiting, 0)
        },
      ),
      { numRuns: 150 },
    )
  }).timeout(120_000)

  it('takes faults back, though whoever is told of its steps throws', async () => {
    const clock = new FakeClock()
    const web = new FakeTarget()
    const steps = parseSchedule([{ at: 1, for: 1, proxy: 'web', fault: 'noop' }], world)
    const onStep = (): void => {
      throw new Error('a mistake')
    }
    const schedule = new FaultSchedule(steps, { target: () => web, clock, onStep })
    schedule.start()
    await clock.pass(1500)
    assert.equal(web.active.size, 1)
    await clock.pass(1000)
    assert.ok(web.isUntouched)
    assert.deepEqual(await schedule.stop(), { notUndone: [] })
  })
})
