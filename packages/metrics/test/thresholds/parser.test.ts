import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ThresholdError } from '../../src/errors.ts'
import { parseThresholds, type ThresholdSource } from '../../src/thresholds/parser.ts'
import type { ThresholdContext } from '../../src/thresholds/threshold.ts'

const one: ThresholdContext = { scenarios: [{ name: 'main', stages: 3 }] }
const two: ThresholdContext = {
  scenarios: [
    { name: 'lookers', stages: 2 },
    { name: 'buyers', stages: 3 },
  ],
}

const source = (expression: string): ThresholdSource => ({ expression, abortOnFail: false, delayAbortMs: 0 })
const parse = (expression: string, context = one) => parseThresholds([source(expression)], context)

function only(expression: string, context = one) {
  const [threshold, ...rest] = parse(expression, context)
  assert.deepEqual(rest, [])
  const { metric, filters, aggregation, operator, limit, overMs, stage, leastSamples } = threshold!
  return { metric: metric.name, filters, aggregation, operator, limit, overMs, stage, leastSamples }
}

const plain = { filters: {}, operator: '<', overMs: null, stage: null, leastSamples: 0 }
const quantile = (share: number) => ({ type: 'quantile', share })

describe('parseThresholds', () => {
  it("reads k6's grammar", () => {
    assert.deepEqual(only('http_req_duration: p(95)<200'), {
      ...plain,
      metric: 'http_req_duration',
      aggregation: quantile(0.95),
      limit: 200,
    })
    assert.deepEqual(only('http_req_duration{name:login,status:200}: p(99.9) <= 1.5s'), {
      ...plain,
      metric: 'http_req_duration',
      filters: { name: 'login', status: '200' },
      aggregation: quantile(0.999),
      operator: '<=',
      limit: 1500,
    })
    assert.deepEqual(only('http_req_failed:rate<0.01').limit, 0.01)
    assert.deepEqual(only('checks{name:"has a title, or none"}: rate>99%').filters, {
      name: 'has a title, or none',
    })
    assert.deepEqual(only('iterations: count === 100').operator, '==')
    assert.deepEqual(only('iterations: count !== 100').operator, '!=')
  })

  it('reads several conditions: each is a threshold of its own', () => {
    const expressions = (text: string) => parse(text).map(({ expression }) => expression)
    assert.deepEqual(expressions('http_req_duration{name:a}: p(95)<200, p(99) < 1s && avg<100'), [
      'http_req_duration{name:a}: p(95)<200',
      'http_req_duration{name:a}: p(99) < 1s',
      'http_req_duration{name:a}: avg<100',
    ])
    assert.deepEqual(expressions('errors<1%, p(95)<200'), ['errors<1%', 'http_req_duration: p(95)<200'])
    assert.deepEqual(expressions('p(95)<200, errors<1%, max<1s'), [
      'http_req_duration: p(95)<200',
      'errors<1%',
      'http_req_duration: max<1s',
    ])
  })

  it('knows what is meant where nothing is said', () => {
    const of = (text: string) => {
      const { metric, aggregation, limit } = only(text)
      return [metric, aggregation.type, limit]
    }
    assert.deepEqual(of('errors<1%'), ['errors', 'rate', 0.01])
    assert.deepEqual(of('iterations>100'), ['iterations', 'count', 100])
    assert.deepEqual(of('hits>50/s'), ['hits', 'rate', 50])
    assert.deepEqual(of('hits > 3000/m'), ['hits', 'rate', 50])
    assert.deepEqual(of('sold>10'), ['sold', 'value', 10])
    assert.deepEqual(of("'hit'>10"), ['hit', 'value', 10])
    assert.deepEqual(of('avg<100'), ['http_req_duration', 'avg', 100])
    assert.deepEqual(of('errors count<5'), ['errors', 'count', 5])
    assert.deepEqual(of('p95<1e3'), ['http_req_duration', 'quantile', 1000])
    assert.deepEqual(of('rate: value>3'), ['rate', 'value', 3])
  })

  it('reads units', () => {
    assert.equal(only('p(95)<1_500us').limit, 1.5)
    assert.equal(only('p(95)<1m').limit, 60_000)
    assert.equal(only('p(95)<5 ms').limit, 5)
    assert.equal(only('checks>99.5 %').limit, 0.995)
    assert.equal(only('data_sent<10MB').limit, 1e7)
    assert.equal(only('data_received>1KiB/s').limit, 1024)
    assert.equal(only('data_received: rate>1').limit, 1)
  })

  it('reads scopes, in any order', () => {
    assert.deepEqual(only('p(95)<200 over 10s').overMs, 10_000)
    assert.deepEqual(only('p(95)<200ms for 1.5m').overMs, 90_000)
    assert.equal(only('p(95)<200 min 100').leastSamples, 100)
    assert.equal(only('p(95)<200 with at least 1 sample').leastSamples, 1)
    const { overMs, stage, leastSamples, limit } = only(
      'p(95)<200 min 50 samples over 30 during buyers/2',
      two,
    )
    assert.deepEqual([overMs, stage, leastSamples, limit], [30_000, 3, 50, 200])
    assert.equal(only('errors<1% during "lookers"/1', two).stage, 0)
    assert.equal(only('errors<1% in stage 3').stage, 2)
  })

  it('takes braces, colons and apostrophes in values for what they are', () => {
    assert.deepEqual(only('http_reqs{name:GET /items/{id}}>5').filters, { name: 'GET /items/{id}' })
    assert.deepEqual(only('http_reqs{name:http://a/b?c=d}>5').filters, { name: 'http://a/b?c=d' })
    assert.deepEqual(only("http_reqs{name:it's}>5").filters, { name: "it's" })
    assert.deepEqual(only("http_reqs{ name : 'a}b' , region = eu }>5").filters, { name: 'a}b', region: 'eu' })
    assert.deepEqual(only('checks{name:""}>5%').filters, { name: '' })
  })

  it('leaves out the scenario of a run that has only one', () => {
    assert.deepEqual(only('errors{scenario:main}<1%').filters, {})
    assert.deepEqual(only('errors{scenario:buyers}<1%', two).filters, { scenario: 'buyers' })
  })

  describe('says what is wrong, where, and what to write', () => {
    const cases: [expression: string, at: number, message: RegExp, context?: ThresholdContext][] = [
      ['', 0, /a condition is missing here/],
      ['p(95)<200,', 10, /a condition is missing here/],
      ['p(95)<200,,avg<1', 10, /a condition is missing here/],
      ['p(101)<200', 0, /p\(101\) is no percentile: write a number from 0 to 100/],
      ['p()<200', 0, /is no percentile/],
      ['p(95)', 5, /a comparison is missing/],
      ['p(95)=200', 5, /use == to compare/],
      ['p(95)<', 6, /a limit is missing/],
      ['p(95)<fast', 6, /a limit is missing/],
      ['p(95)<200foo', 9, /"foo" is no unit: it is a duration/],
      ['p(95)<1%', 7, /cannot be compared to 1%: it is a duration/],
      ['errors<200ms', 10, /cannot be compared to 200ms: it is a share/],
      ['errors<5', 7, /share from 0 to 1, not 5: write 5%, or count/],
      ['errors<500%', 7, /share from 0 to 1/],
      ['iterations: count<5s', 19, /it is a number and has no unit/],
      ['http_req_duration<200', 17, /say what of http_req_duration: p\(95\)/],
      ['errors: p(95)<1', 8, /errors has no p\(95\): it is a share and has rate and count/],
      ['iterations: avg<1', 12, /iterations has no avg: it is counted/],
      ['http_req_duration: foo<1', 19, /"foo" is no aggregation: use p\(95\)/],
      ['http_req_durations: p(95)<1', 0, /did you mean http_req_duration\? .* 'http_req_durations'/],
      ['http_req_speed: p(95)<1', 0, /there is no metric http_req_speed: known are http_req_duration/],
      ['http_reqs{name:a>1', 9, /is not closed/],
      ['http_reqs{}>1', 10, /a filter is missing/],
      ['http_reqs{name}>1', 10, /a filter is word:value/],
      ['http_reqs{name:}>1', 10, /the value of name is missing/],
      ['http_reqs{name:a,name:b}>1', 17, /asked for twice/],
      ['http_reqs{methd:GET}>1', 10, /looks like method/],
      ['iterations{status:200}>1', 11, /series of iterations have no status: filter them by test, tags/],
      ['sold{name:a}>1', 5, /sold cannot be filtered/],
      ['dropped_iterations{test:a}<1', 19, /cannot be filtered/],
      ['ws_msgs_sent{test:a}<1', 13, /cannot be filtered/],
      ['errors{scenario:byers}<1%', 7, /no scenario byers: the run has lookers, buyers/, two],
      ['p(95)<200 sometimes', 10, /"sometimes" makes no sense here/],
      ['p(95)<200 over', 14, /a time is missing/],
      ['p(95)<200 over 0s', 15, /longer than 0/],
      ['p(95)<200 over 5s for 6s', 18, /said twice/],
      ['p(95)<200 during buyers', 17, /name a stage/, two],
      ['p(95)<200 during byers/1', 17, /no scenario byers: the run has lookers, buyers/, two],
      ['p(95)<200 during buyers/4', 17, /no stage 4: scenario buyers has stages 1 to 3/, two],
      ['p(95)<200 in stage 0', 19, /no stage 0/],
      ['p(95)<200 in stage 1', 19, /say of which scenario: during lookers\/1 or during buyers\/1/, two],
      ['p(95)<200 min few', 14, /a number of samples is missing/],
      ['p(95)<200 min 0', 14, /at least one sample/],
    ]
    for (const [expression, at, message, context] of cases) {
      it(expression === '' ? '(nothing)' : expression, () => {
        assert.throws(
          () => parse(expression, context),
          (error: unknown) => {
            assert.ok(error instanceof ThresholdError, String(error))
            const problems = error.problems
            assert.equal(problems.length, 1, error.message)
            assert.match(problems[0]!.message, message)
            assert.equal(problems[0]!.at, at, error.message)
            return true
          },
        )
      })
    }
  })

  it('reads or refuses whatever it is given, and reads again what it shows', () => {
    const words =
      'http_req_duration errors checks sold p(95) p( med count rate avg < >= == 200 1.5s 1% 50/s 0.01 over 30s ' +
      'during main/2 in stage min 100 , && : { } {name:login} {name:"a,b"} " \' é ( )'
    const pieces = fc.constantFrom(...words.split(' '), ' ', '\n')
    const texts = fc.oneof(
      fc.array(pieces, { maxLength: 12 }).map((all) => all.join('')),
      fc.array(pieces, { maxLength: 12 }).map((all) => all.join(' ')),
      fc.string(),
    )
    // Mostly sensible: about half of these can be read.
    const condition = fc
      .tuple(
        fc.constantFrom(
          '',
          '',
          'http_req_duration:',
          'http_reqs{name:a, test:"T,b"}:',
          'errors',
          'checks {name:c}: ',
          'sold:',
        ),
        fc.constantFrom('', 'p(95)', 'med', 'count', 'rate', ' avg ', 'p(99.9)'),
        fc.constantFrom('<', ' >= ', '=='),
        fc.constantFrom('200', '1.5s', '1%', '50/s', '0.01'),
        fc.constantFrom('', '', ' over 30s', ' during main/2', ' in stage 1 min 10'),
      )
      .map((parts) => parts.join(''))
    const sentences = fc.array(condition, { minLength: 1, maxLength: 3 }).map((all) => all.join(', '))
    let read = 0
    fc.assert(
      fc.property(fc.oneof(texts, sentences), (text) => {
        let thresholds
        try {
          thresholds = parse(text)
        } catch (error) {
          assert.ok(error instanceof ThresholdError, `${text}: ${String(error)}`)
          for (const { at } of error.problems) assert.ok(at >= 0 && at <= text.length, `${text}: ${at}`)
          return
        }
        read++
        for (const { expression, metric, ...rest } of thresholds) {
          const [again, ...more] = parse(expression)
          assert.deepEqual(more, [])
          assert.equal(again!.metric.name, metric.name)
          assert.deepEqual({ ...again, metric: null }, { ...rest, expression, metric: null })
        }
      }),
      { numRuns: 3000 },
    )
    assert.ok(read > 100, `${read} of 3000 could be read`)
  })

  it('gives everything that is wrong in all of them at once', () => {
    const wrong = ['p(95)<200, p(200)<1, errors<3', 'errors<1%', 'hits{x}>1'].map(source)
    assert.throws(
      () => parseThresholds(wrong, one),
      (error: unknown) => {
        assert.ok(error instanceof ThresholdError)
        assert.equal(error.code, 'METRICS_BAD_THRESHOLD')
        assert.deepEqual(
          error.problems.map(({ index, at }) => [index, at]),
          [
            [0, 11],
            [0, 28],
            [2, 5],
          ],
        )
        assert.match(error.message, /^threshold "p\(95\)<200, p\(200\)<1, errors<3", character 12: p\(200\)/)
        return true
      },
    )
  })
})
