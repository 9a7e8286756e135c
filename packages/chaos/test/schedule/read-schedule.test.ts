import assert from 'node:assert/strict'
import { ChaosError } from '../../src/errors.ts'
import { parseSchedule } from '../../src/schedule/read-schedule.ts'

const world = { proxies: { web: 'http', db: 'tcp' }, endpoints: ['a', 'b', 'c'] }
const one = (step: object) => parseSchedule([step], world)[0]!

function problemsOf(written: unknown): string[] {
  try {
    parseSchedule(written, world)
  } catch (error) {
    assert.ok(error instanceof ChaosError)
    assert.equal(error.code, 'CHAOS_CONFIG')
    return error.message.split('\n')
  }
  throw new Error('nothing was wrong')
}

describe('the steps of a schedule', () => {
  it('are read in the words of the slides', () => {
    const step = one({ at: '30s', for: '10s', proxy: 'web', fault: 'error', rate: '20%', statuses: [503] })
    assert.deepEqual(step, {
      id: 1,
      name: 'error at web',
      trigger: { when: 'time', atMs: 30_000 },
      forMs: 10_000,
      everyMs: null,
      times: null,
      action: {
        what: 'fault',
        proxies: ['web'],
        request: { type: 'error', name: 'error_downstream', toxicity: 0.2, attributes: { statuses: [503] } },
      },
    })
    // Handed to another process, they are the same.
    assert.deepEqual(JSON.parse(JSON.stringify(step)), step)
  })

  it('begin by time, by requests, by bytes or by phase', () => {
    const fault = { fault: 'noop', proxy: 'db' }
    assert.deepEqual(one(fault).trigger, { when: 'time', atMs: 0 })
    assert.deepEqual(one({ ...fault, at: 2 }).trigger, { when: 'time', atMs: 2000 })
    assert.deepEqual(one({ ...fault, afterRequests: 1000 }).trigger, {
      when: 'requests',
      count: 1000,
      of: ['db'],
    })
    assert.deepEqual(one({ ...fault, 'after-bytes': '10MB', of: 'web, db' }).trigger, {
      when: 'bytes',
      count: 10_000_000,
      of: ['web', 'db'],
    })
    assert.deepEqual(one({ ...fault, phase: 'Ramp up' }).trigger, { when: 'phase', phase: 'ramp-up' })
  })

  it('do what they say: behaviors, down, partitions, again and again', () => {
    const behavior = one({
      proxy: ['web', 'db'],
      behavior: 'delay',
      sleep: '2s',
      rate: 0.5,
      every: '1m',
      for: 5,
      times: 3,
    })
    assert.deepEqual(behavior.action, {
      what: 'behavior',
      proxies: ['web', 'db'],
      behavior: 'delay',
      attributes: { sleep: '2s', rate: 0.5 },
    })
    assert.deepEqual([behavior.everyMs, behavior.forMs, behavior.times], [60_000, 5000, 3])
    assert.deepEqual(one({ proxy: 'web', behavior: 'dummy' }).action, {
      what: 'behavior',
      proxies: ['web'],
      behavior: 'dummy',
      attributes: {},
    })
    assert.deepEqual(one({ proxy: 'db', down: true, name: 'lights out' }).action, {
      what: 'down',
      proxies: ['db'],
    })
    const parted = one({ partition: [['a', 'b'], 'c'], mode: 'refuse', for: 1 })
    assert.deepEqual(parted.action, { what: 'partition', groups: [['a', 'b'], ['c']], mode: 'refuse' })
    assert.equal(parted.name, 'partition a+b | c')
  })

  it('need not name the proxy where there is one', () => {
    const [step] = parseSchedule([{ fault: 'noop' }], { proxies: { only: 'tcp' } })
    assert.ok(step?.action.what === 'fault')
    assert.deepEqual(step.action.proxies, ['only'])
  })

  it('are checked as a whole: all that is wrong is told at once, with its place', () => {
    const problems = problemsOf([
      { fault: 'noop', proxy: 'wbe' },
      { fault: 'nop', proxy: 'db' },
      { fault: 'latency', latncy: 5, proxy: 'db' },
      { fault: 'latency', latency: -5, proxy: 'db' },
      { fault: 'noop', down: true, proxy: 'db' },
      { proxy: 'db' },
      { at: 1, phase: 'steady', fault: 'noop', proxy: 'db' },
      { at: 'soon', fault: 'noop', proxy: 'db' },
      { fault: 'noop' },
      { every: 5, fault: 'noop', proxy: 'db' },
      { every: 5, for: 6, fault: 'noop', proxy: 'db' },
      { times: 5, fault: 'noop', proxy: 'db' },
      { afterRequests: 5, every: 5, for: 1, fault: 'noop', proxy: 'db' },
      { partition: [['a'], ['d']] },
      { partition: [['a', 'b']] },
      { partition: [['a'], ['b']], proxy: 'db' },
      { down: false, proxy: 'db' },
      { down: true, proxy: 'db', statuses: 503 },
      { of: 'web', fault: 'noop', proxy: 'db' },
      'noop',
    ])
    const expected = [
      /schedule\[0\].*there is no proxy wbe; there are web, db/,
      /schedule\[1\].*there is no fault nop: did you mean noop\?/,
      /schedule\[2\].*latncy.*did you mean latency/,
      /schedule\[3\].*latency of .* must be/,
      /schedule\[4\].*has fault and down/,
      /schedule\[5\].*says not what happens/,
      /schedule\[6\].*begins by one thing, not by at and phase/,
      /schedule\[7\]\.at.*at of a step must be seconds/,
      /schedule\[8\].*which proxy\? Write proxy: web or db/,
      /schedule\[9\].*every needs for/,
      /schedule\[10\].*for is longer than every/,
      /schedule\[11\].*write every, too/,
      /schedule\[12\].*every goes by time/,
      /schedule\[13\].*there is no endpoint d/,
      /schedule\[14\].*two groups/,
      /schedule\[15\].*leave proxy away/,
      /schedule\[16\].*down can only be true/,
      /schedule\[17\].*statuses/,
      /schedule\[18\].*of says whose/,
      /schedule\[19\].*a step is a map/,
    ]
    for (const [at, pattern] of expected.entries())
      assert.ok(
        problems.some((problem) => pattern.test(problem)),
        `${at}: ${pattern.source}\n${problems.join('\n')}`,
      )
    assert.deepEqual(problemsOf({ fault: 'noop' }), ['schedule: schedule must be a list'])
  })
})
