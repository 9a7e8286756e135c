import assert from 'node:assert/strict'
import { profileOf, scenarioOf, specOf } from '@loads-runner/protocol/testing'
import { loadText, perSecond, stageText } from '../src/load-text.ts'
import { ObservedValues } from '../src/observed-values.ts'
import { ThresholdTable } from '../src/threshold-table.ts'

describe('the words of a load', () => {
  const open = { spacing: 'uniform', users: 5, maxLateMs: 0 } as const
  it('say each model in a line', () => {
    const step = { durationMs: 10_000, target: 100 }
    const texts = [
      stageText({ type: 'constant-users', users: 1, durationMs: 90_000, rampUpMs: 0 }),
      stageText({ type: 'hits-per-user', users: 10, iterations: 3, rampUpMs: 0, maxDurationMs: null }),
      stageText({ type: 'shared-hits', users: 10, hits: 1, rampUpMs: 0, maxDurationMs: null }),
      stageText({ type: 'ramping-users', startUsers: 0, steps: [step, step, { durationMs: 0, target: 5 }] }),
      stageText({ type: 'constant-rate', rate: 12.5, durationMs: 3_600_000, ...open }),
      stageText({ type: 'ramping-rate', startRate: 1, steps: [step, step, step, step, step], ...open }),
      stageText({ type: 'externally-controlled', controls: 'rate', start: 5, durationMs: null, ...open }),
    ]
    assert.deepEqual(texts, [
      '1 user for 1m30s',
      '10 users, 3 executions each',
      '10 users share 1 execution',
      '0 to 100 users over 10s, 100 users for 10s, jump to 5 users',
      '12.5/s for 1h',
      '1 to 100/s over 10s, 100/s for 10s, 100/s for 10s, 100/s for 10s, 1 more step',
      'controlled from outside until it is stopped, from 5/s on',
    ])
  })

  it('say when a scenario begins', () => {
    const stage = { type: 'constant-users', users: 2, durationMs: 500, rampUpMs: 0 } as const
    assert.equal(loadText(scenarioOf({ stages: [stage], startMs: 5_000 })), '2 users for 500ms (after 5s)')
  })

  it('say slow rates per minute', () => {
    assert.deepEqual([0, 0.5, 1 / 60, 0.123, 3].map(perSecond), ['0/s', '30/m', '1/m', '0.123/s', '3/s'])
  })
})

describe('ThresholdTable', () => {
  const expression = 'http_req_failed: rate<0.01'
  const spec = specOf({
    profile: profileOf({ type: 'constant-users', users: 1, durationMs: 1, rampUpMs: 0 }),
    thresholds: [{ expression, abortOnFail: false, delayAbortMs: 0 }],
  })

  it('keeps every moment at which a threshold changed, however long the run', () => {
    const table = new ThresholdTable()
    table.begin(spec)
    const changes: number[] = []
    for (let second = 0; second < 20_000; second += 2) {
      const ok = second % 3_000 < 2_900
      if (second > 0 && ok !== (second - 2) % 3_000 < 2_900) changes.push(second * 1000)
      table.take([{ expression, value: ok ? 0.0012 : 0.5, ok }], second * 1000)
    }
    const [row] = table.rows()
    assert.equal(row?.text, '0.12 %')
    assert.ok(row!.past.length <= 240)
    const seen = row!.past.flatMap(([at, , ok], place) =>
      place > 0 && row!.past[place - 1]![2] !== ok ? [at] : [],
    )
    assert.deepEqual(seen, changes)
    assert.equal(row!.past.at(-1)![0], 19_998_000)
  })

  it('stays small when every value is a change', () => {
    const table = new ThresholdTable()
    for (let second = 0; second < 5_000; second++)
      table.take([{ expression: 'of another version', value: second, ok: second % 2 === 0 }], second)
    const [row] = table.rows()
    assert.ok(row!.past.length <= 240)
    assert.equal(row!.text, '4999')
  })
})

describe('ObservedValues', () => {
  const event = (elapsedMs: number, values: Record<string, number>) =>
    ({ type: 'observation', at: 0, elapsedMs, source: 's', values }) as const

  it('tells what is new, and has a bound', () => {
    const observed = new ObservedValues()
    assert.equal(observed.update(), null)
    observed.take(event(0, { a: 1, b: 2 }))
    observed.take(event(1_000, { a: 3 }))
    assert.deepEqual(observed.update(), {
      a: { fromMs: [0, 1_000], value: [1, 3] },
      b: { fromMs: [0], value: [2] },
    })
    observed.take(event(1_000, { a: 4 }))
    observed.take(event(500, { a: 5 }))
    assert.deepEqual(observed.update(), { a: { fromMs: [1_000], value: [4] } })
    for (let second = 2; second < 20_000; second++) observed.take(event(second * 1_000, { a: second }))
    for (let name = 0; name < 1_000; name++) observed.take(event(1, { [`n${name}`]: 1 }))
    const all = observed.all()
    assert.equal(Object.keys(all).length, 200)
    assert.ok(all.a!.fromMs.length <= 3_600)
    assert.deepEqual([all.a!.fromMs[0], all.a!.fromMs.at(-1)], [0, 19_999_000])
  })
})
