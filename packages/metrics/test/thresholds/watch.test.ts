import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Delta, emptySeriesDelta, type SeriesDelta } from '../../src/delta.ts'
import { bucketMiddle, bucketOf, Histogram } from '../../src/histogram.ts'
import { Recorder } from '../../src/recorder.ts'
import type { SeriesKey } from '../../src/series.ts'
import { parseThresholds } from '../../src/thresholds/parser.ts'
import { ThresholdWatch, type ThresholdWatchOptions } from '../../src/thresholds/watch.ts'
import { WindowCutter } from '../../src/window-cutter.ts'

const context = { scenarios: [{ name: 'main', stages: 3 }] }

function watchOf(expression: string, options: ThresholdWatchOptions = {}): ThresholdWatch {
  return new ThresholdWatch(
    parseThresholds([{ expression, abortOnFail: false, delayAbortMs: 0 }], context),
    options,
  )
}

/** What a recorder was told, as one window. */
function windowOf(record: (recorder: Recorder) => void): Delta {
  const cutter = new WindowCutter()
  record(new Recorder({ maxSeries: 100, define: (definition) => cutter.add(definition), now: () => 7000 }))
  return cutter.cut()
}

const hits = (times: number, micros: number, name = '/', failed = false) =>
  windowOf((recorder) => {
    for (let index = 0; index < times; index++) {
      recorder.hit('http', 'T.a', name, 'GET', failed ? '500' : '200', failed, micros, 100, 10, null)
    }
  })

/** Value and verdict of the first threshold. */
function first(watch: ThresholdWatch): [number | null, boolean | null] {
  const { value, ok } = watch.standings()[0]!
  return [value, ok]
}

/** What becomes of one window of 10 s. */
function after(expression: string, record: (recorder: Recorder) => void): [number | null, boolean | null] {
  const watch = watchOf(expression)
  watch.apply(windowOf(record), 0, 10_000)
  watch.finish(10_000)
  return first(watch)
}

describe('ThresholdWatch', () => {
  it('knows every metric', () => {
    const tags = { region: 'eu' }
    const record = (recorder: Recorder) => {
      for (let index = 0; index < 20; index++) {
        const failed = index < 5
        recorder.hit('http', 'T.a', '/', 'GET', failed ? '500' : '200', failed, 2000, 100, 10, tags)
        recorder.execution('T.a', index < 2 ? 'error' : index < 3 ? 'failure' : 'success', 4000, tags)
        recorder.check('T.a', 'has a title', index < 15, tags)
      }
      recorder.hit('http', 'T.a', '/', 'GET', 'interrupted', true, 2000, 0, 0, tags)
      recorder.hit('grpc', 'T.a', 'Get', '', '0', false, 3000, 5, 5, null)
      recorder.hit('websocket', 'T.a', '/ws', 'GET', '101', false, 6000, 0, 0, null)
      recorder.execution('T.a', 'interrupted', 99_000, tags)
      recorder.phase('T.a', '/', 'GET', 'wait', 1000, tags)
      recorder.phase('T.a', '/', 'GET', 'tls', 500, tags)
      recorder.step('T.a', 'log in', 7000, tags)
      recorder.response('T.a', 'success', 8000, tags)
      recorder.hitResponse('T.a', '/', 'GET', '200', 9000, tags)
      recorder.lateness('T.a', 300, tags)
      recorder.internal('socket.opened', 'T.a', 1)
      recorder.internal('socket.message-sent', 'T.a', 3)
      recorder.internal('socket.message-received', 'T.a', 4)
      recorder.internal('socket.bytes-sent', 'T.a', 1000)
      recorder.count('sold', 12)
      recorder.gauge('depth', -4)
      recorder.timing('render', 5000)
    }
    const values: Record<string, number> = {
      'http_req_duration: max<1': 2,
      'http_req_duration: count<1': 21,
      'http_req_duration{name:/,method:GET,status:200,test:T.a,region:eu}: count<1': 15,
      'http_reqs<1': 21,
      'http_reqs: rate<1': 2.1,
      'http_req_failed<1%': 5 / 21,
      'http_req_waiting: avg<0': 1,
      'http_req_tls_handshaking: avg<0': 0.5,
      'response_time: max<1': 9,
      'iteration_response_time: max<1': 8,
      'iteration_duration: max<1': 4,
      'iterations<1': 20,
      'errors<1%': 0.1,
      'errors: count<1': 2,
      'failures<1%': 0.05,
      'hits<1': 23,
      'hits{kind:grpc}<1': 1,
      'hit_duration{kind:websocket}: max<1': 6,
      'hit_failed<1%': 5 / 23,
      'checks>99%': 0.75,
      'checks{name:has a title}>99%': 0.75,
      'data_received<1': 2005,
      'data_sent<1': 1205,
      'data_sent{kind:http}<1': 200,
      'ws_connecting: max<1': 6,
      'ws_sessions<1': 1,
      'ws_msgs_sent<1': 3,
      'ws_msgs_received<1': 4,
      'grpc_req_duration: max<1': 3,
      'step_duration{name:log in}: max<1': 7,
      'lateness: max<0': 0.3,
      'sold<1': 12,
      'sold: rate<1': 1.2,
      'depth>1': -4,
      'render: max<1': 5,
      'render: count<1': 1,
    }
    for (const [expression, value] of Object.entries(values)) {
      assert.deepEqual(after(expression, record), [value, false], expression)
    }
  })

  it('says nothing without data: no samples, too few of them, or a quantile that cannot be trusted', () => {
    const some = (times: number) => (recorder: Recorder) => {
      for (let index = 0; index < times; index++) {
        recorder.hit('http', 'T.a', '/', 'GET', '200', false, 1000, 0, 0, null)
      }
    }
    assert.deepEqual(after('http_req_duration{name:/nowhere}: max<200', some(50)), [null, null])
    assert.deepEqual(after('errors<1%', some(50)), [null, null])
    assert.deepEqual(after('sold<1', some(50)), [null, null])
    assert.deepEqual(after('http_req_duration: max<200 min 51', some(50)), [null, null])
    assert.deepEqual(after('http_req_duration: max<200 min 50', some(50)), [1, true])
    assert.deepEqual(after('p(95)<200', some(199)), [null, null])
    assert.deepEqual(after('p(95)<200', some(200)), [1, true])
    assert.deepEqual(after('p(99.9)<200', some(10_000)), [1, true])
    assert.deepEqual(after('p(100)<200', some(1)), [1, true])
    assert.deepEqual(after('p(0)>200', some(1)), [1, false])
    assert.deepEqual(
      after('depth: count<5', (recorder) => recorder.gauge('depth', 1)),
      [null, null],
    )
    assert.deepEqual(
      after('sold<1', (recorder) => recorder.count('sold', 0)),
      [0, true],
    )
  })

  it('counts dropped executions, none too', () => {
    const watch = watchOf('dropped_iterations == 0')
    assert.deepEqual(first(watch), [null, null])
    watch.drop(0, 0, 1000)
    assert.deepEqual(first(watch), [0, true])
    watch.drop(3, 1000, 2000)
    assert.deepEqual(first(watch), [3, false])
    const perSpan = watchOf('dropped_iterations < 3 over 2s')
    for (let second = 0; second < 5; second++)
      perSpan.drop(second === 3 ? 2 : 1, second * 1000, second * 1000 + 1000)
    perSpan.finish(5000)
    assert.deepEqual(first(perSpan), [3, false])
  })

  it('keeps each operator', () => {
    const verdicts = ['<', '<=', '>', '>=', '==', '!='].map((operator) => {
      return after(`iterations ${operator} 2`, (recorder) => {
        recorder.execution('T.a', 'success', 1, null)
        recorder.execution('T.a', 'success', 1, null)
      })[1]
    })
    assert.deepEqual(verdicts, [false, true, false, true, true, false])
  })

  describe('over a span', () => {
    it('is crossed when one span crosses it, and stays so', () => {
      const watch = watchOf('http_reqs: rate >= 10/s over 3s')
      const counts = [20, 20, 20, 5, 5, 5, 40, 40, 40]
      const seen = counts.map((count, second) => {
        watch.apply(hits(count, 1000), second * 1000, second * 1000 + 1000)
        watch.advance(second * 1000 + 1000)
        return first(watch)[1]
      })
      assert.deepEqual(seen, [null, null, true, true, true, false, false, false, false])
      assert.deepEqual(first(watch), [5, false])
    })

    it('takes what comes late for the time it is of, and judges nothing before all have told', () => {
      const watch = watchOf('http_reqs: count >= 4 over 2s')
      for (let second = 0; second < 6; second++)
        watch.apply(hits(1, 1000), second * 1000, second * 1000 + 1000)
      assert.deepEqual(first(watch), [null, null])
      for (let second = 0; second < 6; second++) {
        watch.apply(hits(1, 1000), second * 1000, second * 1000 + 1000)
        watch.advance(second * 1000 + 1000)
      }
      assert.deepEqual(first(watch), [4, true])
    })

    it('judges a run that is shorter as long as it is', () => {
      const watch = watchOf('http_reqs: rate < 5/s over 1m')
      watch.apply(hits(20, 1000), 0, 1000)
      watch.apply(hits(20, 1000), 1000, 2000)
      watch.advance(2000)
      assert.deepEqual(first(watch), [null, null])
      watch.finish(2500)
      assert.deepEqual(first(watch), [16, false])
    })

    it('is not judged beyond the end of the load', () => {
      const watch = watchOf('http_reqs: count >= 20 over 2s')
      for (let second = 0; second < 8; second++) {
        watch.apply(hits(second < 5 ? 10 : 1, 1000), second * 1000, second * 1000 + 1000)
      }
      watch.endLoad(5000)
      watch.advance(8000)
      watch.finish(8000)
      assert.deepEqual(first(watch), [20, true])
    })

    it('in which nothing happens has a count of 0, once something has happened', () => {
      const watch = watchOf('http_reqs: rate >= 1/s over 2s')
      watch.advance(4000)
      assert.deepEqual(first(watch), [null, null])
      watch.apply(hits(10, 1000), 4000, 5000)
      watch.advance(5000)
      assert.deepEqual(first(watch), [5, true])
      watch.advance(8000)
      assert.deepEqual(first(watch), [0, false])
    })

    it('forgets extremes that have left the span', () => {
      const watch = watchOf('http_req_duration: max > 5 over 1s')
      watch.apply(hits(1, 50_000), 0, 1000)
      const late = hits(1, 1000)
      for (const series of late.series.values()) series.max = 50_000
      watch.apply(late, 1000, 2000)
      watch.finish(2000)
      const [value, ok] = first(watch)
      assert.equal(ok, false)
      assert.ok(Math.abs(value! - 1) <= 0.01, `${value}`)
    })

    it('is not judged where it cuts through figures of a longer time', () => {
      const watch = watchOf('http_reqs: count >= 20 over 2s')
      for (let second = 0; second < 3; second++)
        watch.apply(hits(10, 1000), second * 1000, second * 1000 + 1000)
      // Five seconds in one: nobody knows what was in each of them.
      watch.apply(hits(50, 1000), 3000, 8000)
      for (let second = 8; second < 11; second++)
        watch.apply(hits(11, 1000), second * 1000, second * 1000 + 1000)
      watch.finish(11_000)
      assert.deepEqual(first(watch), [20, true])
    })

    it('has bounded memory and time, whatever times it is told', () => {
      const watch = watchOf('http_reqs: count > 0 over 10s')
      for (let index = 0; index < 2000; index++) watch.apply(hits(1, 1000), index * 1e9, index * 1e9 + 1000)
      assert.equal(first(watch)[1], false)
    })

    it('is the same as a plain recount of every span', () => {
      const samples = fc.array(
        fc.record({
          slice: fc.nat({ max: 14 }),
          micros: fc.integer({ min: 1, max: 5_000_000 }),
          times: fc.integer({ min: 1, max: 30 }),
          failed: fc.boolean(),
        }),
        { maxLength: 40 },
      )
      fc.assert(
        fc.property(samples, fc.integer({ min: 1, max: 6 }), fc.nat({ max: 3 }), (all, length, lateBy) => {
          const conditions = ['med<1s', 'p(90)<1s', 'avg<1s', 'count>10', 'max<2s']
          const watch = new ThresholdWatch(
            parseThresholds(
              [
                ...conditions.map((condition) => `http_req_duration: ${condition} over ${length}s`),
                `http_req_failed<50% over ${length}s`,
                `http_reqs>5/s over ${length}s`,
              ].map((expression) => ({ expression, abortOnFail: false, delayAbortMs: 0 })),
              context,
            ),
          )
          for (let slice = 0; slice < 15; slice++) {
            for (const each of all.filter((one) => one.slice === slice)) {
              watch.apply(deltaOf(each.micros, each.times, each.failed), slice * 1000, slice * 1000 + 1000)
            }
            watch.advance((slice - lateBy) * 1000)
          }
          watch.finish(15_000)

          const worst: (number | null)[] = watch.thresholds.map(() => null)
          for (let end = length; end <= 15; end++) {
            const within = all.filter(({ slice }) => slice >= end - length && slice < end)
            const values = naive(within, length, false)
            const before = all.some(({ slice }) => slice < end)
            if (within.length === 0 && before) {
              values[3] = 0
              values[6] = 0
            }
            for (const [index, value] of values.entries()) {
              const known = worst[index] ?? null
              if (value === null) continue
              const more = watch.thresholds[index]!.operator === '<'
              worst[index] = known === null ? value : more ? Math.max(known, value) : Math.min(known, value)
            }
          }
          for (const [index, { value, ok, threshold }] of watch.standings().entries()) {
            const expected = worst[index]!
            if (expected === null || value === null) assert.equal(value, expected, threshold.expression)
            else assert.ok(Math.abs(value - expected) <= 1e-9 * expected, `${threshold.expression}: ${value}`)
            const right =
              expected === null
                ? null
                : threshold.operator === '<'
                  ? expected < threshold.limit
                  : expected > threshold.limit
            assert.equal(ok, right)
          }
        }),
        { numRuns: 60 },
      )
    })
  })

  describe('of a stage', () => {
    it('counts what lies in its time only', () => {
      const watch = watchOf('http_reqs: rate < 10/s in stage 2')
      watch.beginStage(0, 0)
      watch.apply(hits(500, 1000), 0, 1000)
      assert.deepEqual(first(watch), [null, null])
      watch.beginStage(1, 2000)
      watch.apply(hits(500, 1000), 1000, 2000)
      watch.apply(hits(8, 1000), 2000, 3000)
      watch.endStage(1, 4000)
      watch.beginStage(2, 4000)
      watch.apply(hits(8, 1000), 3000, 4000)
      watch.apply(hits(500, 1000), 4000, 5000)
      watch.finish(5000)
      assert.deepEqual(first(watch), [8, true])
    })

    it('has spans of its own', () => {
      const watch = watchOf('http_reqs: count > 5 over 2s in stage 2')
      watch.beginStage(1, 2500)
      for (let half = 0; half < 16; half++) {
        const inside = half >= 5 && half < 11
        watch.apply(hits(inside ? 4 : 1, 1000), half * 500, half * 500 + 500)
      }
      watch.endStage(1, 5500)
      watch.finish(8000)
      assert.deepEqual(first(watch), [16, true])
    })

    it('that never began has no data', () => {
      const watch = watchOf('http_reqs: count > 5 in stage 3')
      watch.apply(hits(50, 1000), 0, 1000)
      watch.finish(1000)
      assert.deepEqual(first(watch), [null, null])
    })
  })

  it('counts rates over the time after the warm-up', () => {
    const watch = watchOf('http_reqs: rate < 10/s', { startMs: 5000 })
    watch.apply(hits(20, 1000), 5000, 6000)
    watch.finish(9000)
    assert.deepEqual(first(watch), [5, true])
  })

  it('is the same as a plain recount of the whole, however it came in pieces', () => {
    const piece = fc.record({
      micros: fc.integer({ min: 1, max: 5_000_000 }),
      times: fc.integer({ min: 1, max: 30 }),
      failed: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 40 }), (pieces) => {
        const watch = new ThresholdWatch(
          parseThresholds(
            ['med<1s, p(90)<1s, avg<1s, count>10, max<2s', 'http_req_failed<50%', 'http_reqs>5/s'].map(
              (expression) => ({ expression, abortOnFail: false, delayAbortMs: 0 }),
            ),
            context,
          ),
        )
        for (const each of pieces) watch.apply(deltaOf(each.micros, each.times, each.failed), 0, 1000)
        watch.finish(20_000)
        const exact = naive(pieces, 20, true)
        for (const [index, { value }] of watch.standings().entries()) {
          const expected = exact[index]!
          if (expected === null) assert.equal(value, null)
          else assert.ok(Math.abs(value! - expected) <= 1e-9 * expected, `${value} instead of ${expected}`)
        }
      }),
    )
  })
})

const httpKey = (status: string): SeriesKey => {
  return { kind: 'http', test: 'T.a', name: '/', method: 'GET', status, tags: {} }
}

function deltaOf(micros: number, times: number, failed: boolean): Delta {
  const series: SeriesDelta = emptySeriesDelta(httpKey(failed ? '500' : '200'), null)
  series.count = times
  series.failed = failed ? times : 0
  series.sum = micros * times
  series.min = micros
  series.max = micros
  series.buckets = new Map([[bucketOf(micros), times]])
  const delta = new Delta()
  delta.add(series)
  return delta
}

/** med, p(90), avg, count, max, share of failed, rate: recounted. Extremes exact or by their buckets. */
function naive(
  samples: readonly { micros: number; times: number; failed: boolean }[],
  seconds: number,
  isExact: boolean,
): (number | null)[] {
  const count = samples.reduce((sum, { times }) => sum + times, 0)
  if (count === 0) return Array.from({ length: 7 }, () => null)
  const all = samples.flatMap(({ micros, times }) => Array.from({ length: times }, () => micros))
  all.sort((one, other) => one - other)
  const middles = all.map((micros) => bucketMiddle(bucketOf(micros)))
  const histogram = new Histogram()
  for (const micros of all) histogram.record(micros)
  const [low, high] = isExact ? [all[0]!, all.at(-1)!] : [middles[0]!, middles.at(-1)!]
  const quantile = (share: number) => {
    if (share > histogram.trustedTo()) return null
    return Math.min(high, Math.max(low, middles[Math.ceil(share * count - 1e-9) - 1]!)) / 1000
  }
  const failed = samples.reduce((sum, { times, failed: bad }) => sum + (bad ? times : 0), 0)
  const sum = all.reduce((total, micros) => total + micros, 0)
  return [
    quantile(0.5),
    quantile(0.9),
    sum / count / 1000,
    count,
    high / 1000,
    failed / count,
    count / seconds,
  ]
}
