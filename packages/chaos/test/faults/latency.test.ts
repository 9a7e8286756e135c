import assert from 'node:assert/strict'
import fc from 'fast-check'
import { atWork, ruleOf } from '../support/fake-flow.ts'

describe('latency', () => {
  it('delays each piece from when it came, and keeps the speed', () => {
    const stage = atWork('latency', { latency: 100 })
    stage.send('a')
    stage.advance(30)
    stage.send('b')
    stage.advance(69)
    assert.equal(stage.flow.text, '')
    stage.advance(1)
    assert.equal(stage.flow.text, 'a')
    stage.advance(30)
    assert.deepEqual(
      stage.flow.passed.map(({ at, bytes }) => [at, bytes.toString()]),
      [
        [100, 'a'],
        [130, 'b'],
      ],
    )
    assert.equal(stage.flow.held, 0)
  })

  it('of 0 passes bytes through at no cost: nothing is held, no timer is set', () => {
    const stage = atWork('latency', { latency: 0 })
    stage.send('abc')
    assert.equal(stage.flow.text, 'abc')
    assert.equal(stage.flow.clock.timers, 0)
    stage.end()
    assert.equal(stage.flow.endedAt, 0)
  })

  it('has one timer, however many pieces wait', () => {
    const stage = atWork('latency', { latency: 50, jitter: 20 })
    for (let piece = 0; piece < 1000; piece++) stage.send('x')
    assert.equal(stage.flow.clock.timers, 1)
    stage.advance(70)
    assert.equal(stage.flow.text.length, 1000)
    assert.equal(stage.flow.clock.timers, 0)
  })

  it('ends right behind the last bytes', () => {
    const stage = atWork('latency', { latency: 100 })
    stage.send('a')
    stage.advance(60)
    stage.end()
    assert.equal(stage.flow.endedAt, null)
    stage.advance(40)
    assert.equal(stage.flow.endedAt, 100)
  })

  it('keeps the order whatever the jitter, and jitter beyond the latency means none', () => {
    const stage = atWork('latency', { latency: 5, jitter: 50 })
    const sent = Buffer.from(Array.from({ length: 200 }, (_, index) => index))
    for (const byte of sent) {
      stage.send(Buffer.of(byte))
      stage.advance(1)
    }
    stage.advance(60)
    assert.deepEqual(stage.flow.bytes, sent)
  })

  it('passes on at once what is on its way, with the end, when it is removed', () => {
    const stage = atWork('latency', { latency: 10_000 })
    stage.send('a')
    stage.send('b')
    stage.end()
    stage.advance(10)
    stage.remove()
    assert.equal(stage.flow.text, 'ab')
    assert.equal(stage.flow.endedAt, 10)
    assert.equal(stage.flow.held, 0)
    assert.equal(stage.flow.clock.timers, 0)
  })

  it('treats what is on its way by new attributes', () => {
    const stage = atWork('latency', { latency: 10_000 })
    stage.send('a')
    stage.advance(50)
    stage.update(ruleOf('latency', { latency: 80 }))
    stage.send('b')
    stage.advance(30)
    assert.equal(stage.flow.text, 'a')
    stage.update(ruleOf('latency', { latency: 0 }))
    assert.equal(stage.flow.text, 'ab')
    stage.send('c')
    assert.equal(stage.flow.text, 'abc')
  })

  it('holds 16 MiB, but fewer bytes when they are tiny pieces', () => {
    const stage = atWork('latency', { latency: 1000 })
    assert.equal(stage.flow.allowed, 16 * 1024 * 1024)
    for (let piece = 0; piece < 70_000; piece++) stage.send('x')
    assert.ok(stage.flow.held >= stage.flow.allowed, `${stage.flow.allowed} allowed`)
    stage.remove()
    assert.equal(stage.flow.allowed, 16 * 1024 * 1024)
  })

  it('of each distribution is never negative, and has its mean and spread', () => {
    for (const distribution of ['uniform', 'normal', 'lognormal', 'pareto'] as const) {
      const times: number[] = []
      const stage = atWork('latency', { latency: 1000, jitter: 100, distribution })
      for (let round = 0; round < 4000; round++) {
        const before = stage.flow.at
        stage.send('x')
        stage.advance(100_000)
        times.push(stage.flow.passed.at(-1)!.at - before)
      }
      const mean = times.reduce((sum, time) => sum + time) / times.length
      const spread = Math.sqrt(times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / times.length)
      assert.ok(Math.abs(mean - 1000) < 10, `${distribution}: mean ${mean}`)
      const wanted = distribution === 'uniform' ? 100 / Math.sqrt(3) : 100
      assert.ok(Math.abs(spread - wanted) < wanted * 0.25, `${distribution}: spread ${spread}`)
      if (distribution === 'uniform') assert.ok(times.every((time) => time >= 900 && time < 1100))
      if (distribution === 'pareto') assert.ok(Math.min(...times) > 850)
    }
  })

  it('takes its times from a list, each as likely as its weight', () => {
    const stage = atWork('latency', { latency: 1000, jitter: 100, times: ['10', 20, '2s:2'] })
    const seen = new Map<number, number>()
    for (let round = 0; round < 4000; round++) {
      const before = stage.flow.at
      stage.send('x')
      stage.advance(100_000)
      const time = stage.flow.passed.at(-1)!.at - before
      seen.set(time, (seen.get(time) ?? 0) + 1)
    }
    assert.deepEqual(
      [...seen.keys()].sort((one, other) => one - other),
      [10, 20, 2000],
    )
    // The 99.9 % bounds of binomial distributions.
    assert.ok(Math.abs(seen.get(10)! - 1000) <= 3.3 * Math.sqrt(1000 * 0.75), `${seen.get(10)}`)
    assert.ok(Math.abs(seen.get(2000)! - 2000) <= 3.3 * Math.sqrt(2000 * 0.5), `${seen.get(2000)}`)
  })

  it('reads a list of times from a text, shows what it read, and refuses what is none', () => {
    const rule = ruleOf('latency', { times: '10, 1.5s:3,0' })
    assert.deepEqual(rule.shown['times'], [10, '1500:3', 0])
    assert.deepEqual(ruleOf('latency', { times: rule.shown['times'] }).attributes, rule.attributes)
    assert.deepEqual(ruleOf('delay', { times: '0.5:2,2' }).shown['times'], ['0.5:2', 2])
    const wrong = [
      [],
      '',
      'soon',
      [-1],
      [1, null],
      ['1:0'],
      ['1:-1'],
      ['1:1.5'],
      [{}],
      Array(1001).fill(1),
      NaN,
    ]
    for (const times of wrong)
      assert.throws(() => ruleOf('latency', { times }), { code: 'CHAOS_ATTRIBUTE' }, JSON.stringify(times))
  })

  it('shows clients only what they know', () => {
    assert.deepEqual(ruleOf('latency', { latency: 100 }).shown, { latency: 100, jitter: 0 })
    assert.deepEqual(ruleOf('latency', { distribution: 'pareto' }).shown, {
      latency: 0,
      jitter: 0,
      distribution: 'pareto',
    })
  })

  it('loses nothing and keeps order under any history of changes', () => {
    const step = fc.oneof(
      fc.record({ what: fc.constant('send' as const), size: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ what: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 300 }) }),
      fc.record({
        what: fc.constant('update' as const),
        latency: fc.integer({ min: 0, max: 200 }),
        jitter: fc.integer({ min: 0, max: 300 }),
      }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 5 }), (steps, late) => {
        const stage = atWork('latency', { latency: 50 }, { late })
        const sent: Buffer[] = []
        for (const each of steps) {
          if (each.what === 'send') {
            const bytes = Buffer.alloc(each.size, sent.length)
            sent.push(bytes)
            stage.send(bytes)
          } else if (each.what === 'wait') stage.advance(each.ms)
          else stage.update(ruleOf('latency', { latency: each.latency, jitter: each.jitter }))
        }
        stage.end()
        stage.advance(1000)
        assert.deepEqual(stage.flow.bytes, Buffer.concat(sent))
        assert.notEqual(stage.flow.endedAt, null)
        assert.equal(stage.flow.held, 0)
      }),
    )
  })
})
