import assert from 'node:assert/strict'
import { runStages, type ExternallyControlled, type Scenario } from '@loads-runner/testcase/load'
import { hitsPerUser, scenarioOf } from '@loads-runner/protocol/testing'
import { Controls, type ControlRequest, type RunningStage } from '../src/controls.ts'
import { Refusal } from '../src/errors.ts'

const controlled = (changes: Partial<ExternallyControlled> = {}): ExternallyControlled => ({
  type: 'externally-controlled',
  controls: 'rate',
  start: 10,
  durationMs: null,
  spacing: 'uniform',
  users: 50,
  maxLateMs: 30_000,
  ...changes,
})

/** The first stage of each, since 1,000 ms. */
function running(...scenarios: Scenario[]): RunningStage[] {
  return runStages({ scenarios })
    .filter(({ place }) => place === 0)
    .map((stage) => ({ stage, beginMs: 1000 + stage.scenario.startMs }))
}

const nothing: ControlRequest = { scenario: null, target: null, paused: null }

describe('controls', () => {
  const main = running(scenarioOf({ stages: [controlled()] }))

  function refuses(
    request: Partial<ControlRequest>,
    stages: RunningStage[],
    code: string,
    text: RegExp,
  ): void {
    assert.throws(
      () => new Controls('r1').change({ ...nothing, ...request }, stages, 2000),
      (error) => {
        assert.ok(error instanceof Refusal)
        assert.equal(error.code, code)
        assert.equal(error.exitCode, 2)
        assert.match(error.message, text)
        return true
      },
    )
  }

  it('says what holds: what is null stays as it is', () => {
    const controls = new Controls('r1')
    const holds = (request: Partial<ControlRequest>, nowMs: number) => {
      const { target, paused, isNew } = controls.change({ ...nothing, ...request }, main, nowMs)
      return [target, paused, isNew]
    }
    assert.deepEqual(holds({}, 2000), [10, false, false])
    assert.deepEqual(holds({ target: 2.5 }, 3000), [2.5, false, true])
    assert.deepEqual(holds({ paused: true }, 4000), [2.5, true, true])
    assert.deepEqual(holds({ target: 2.5, paused: true }, 5000), [2.5, true, false])
    assert.deepEqual(holds({ target: 0, paused: false }, 6000), [0, false, true])
    // Each takes effect a little later, so that every agent has heard of it by then.
    assert.deepEqual(controls.of(0), [
      { atMs: 2300, target: 2.5, paused: false },
      { atMs: 3300, target: 2.5, paused: true },
      { atMs: 5300, target: 0, paused: false },
    ])
  })

  it('puts a change before the beginning at the beginning, the last one only', () => {
    const controls = new Controls('r1')
    const later = running(scenarioOf({ stages: [controlled()], startMs: 60_000 }))
    controls.change({ ...nothing, target: 5 }, later, 2000)
    controls.change({ ...nothing, target: 6 }, later, 3000)
    assert.deepEqual(controls.of(0), [{ atMs: 0, target: 6, paused: false }])
  })

  it('finds the scenario by its name, or by itself where only one is controlled', () => {
    const browse = scenarioOf({ name: 'browse', stages: [hitsPerUser(1, 1)] })
    const buy = scenarioOf({ name: 'buy', stages: [controlled()] })
    const sell = scenarioOf({ name: 'sell', stages: [controlled()] })
    const chosen = new Controls('r1').change({ ...nothing, target: 3 }, running(browse, buy), 2000)
    assert.equal(chosen.stage.scenario.name, 'buy')
    const named = new Controls('r1').change({ ...nothing, scenario: 'sell' }, running(buy, sell), 2000)
    assert.equal(named.stage.scenario.name, 'sell')
    refuses({}, running(buy, sell), 'SEVERAL_SCENARIOS', /name one: buy, sell$/)
    refuses({}, running(browse), 'NOT_CONTROLLED', /no scenario of run r1 is under way with an externally/)
    refuses(
      { scenario: 'browse' },
      running(browse, buy),
      'NOT_CONTROLLED',
      /scenario browse .* these are: buy$/,
    )
    refuses({ scenario: 'no such' }, running(browse), 'NOT_CONTROLLED', /none of its scenarios is/)
  })

  it('refuses what cannot be', () => {
    refuses({ target: -1 }, main, 'BAD_TARGET', /main cannot have a rate of -1\/s: a number from 0 on/)
    refuses({ target: NaN }, main, 'BAD_TARGET', /a number from 0 on is needed/)
    refuses({ target: Infinity }, main, 'BAD_TARGET', /a number from 0 on is needed/)
    const users = running(scenarioOf({ stages: [controlled({ controls: 'users' })] }))
    refuses(
      { target: 51 },
      users,
      'BAD_TARGET',
      /main cannot have 51 users: the scenario has 50 users at most/,
    )
    refuses({ target: 1.5 }, users, 'BAD_TARGET', /users are whole/)
    assert.equal(new Controls('r1').change({ ...nothing, target: 50 }, users, 2000).target, 50)
    // A rate is not limited by the number of users.
    assert.equal(new Controls('r1').change({ ...nothing, target: 51 }, main, 2000).target, 51)
  })

  it('keeps a bounded list, and a refused change leaves no trace', () => {
    const controls = new Controls('r1')
    for (let change = 0; change < 5000; change++) {
      controls.change({ ...nothing, target: change % 2 }, main, 2000 + change)
    }
    assert.throws(() => controls.change({ ...nothing, target: 7 }, main, 9000), /5000 times/)
    assert.equal(controls.of(0).length, 5000)
    assert.equal(controls.change(nothing, main, 9001).target, 1)
    controls.forget(0)
    assert.deepEqual(controls.of(0), [])
  })
})
