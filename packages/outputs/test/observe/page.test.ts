import assert from 'node:assert/strict'
import { figureName } from '../../src/observe/figure-name.ts'
import { samplesOf } from '../../src/observe/page.ts'
import { Rates } from '../../src/observe/rates.ts'

describe('a page of metrics', () => {
  it('has gauges, counters, and the counts of histograms and summaries', () => {
    const page = `# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{code="200",path="/a b,c\\"d\\\\e\\nf}"} 1027 1395066363000
requests_total{code="500"} 3
# TYPE depth gauge
depth 1.5e3
# TYPE odd gauge
odd NaN
infinite +Inf
bare_total 7
# TYPE took histogram
took_bucket{path="/",le="0.1"} 5
took_bucket{path="/",le="+Inf"} 6
took_sum{path="/"} 12
took_count{path="/"} 6
took_count{path="/x"} 2
# TYPE ask summary
ask{quantile="0.5"} 3
ask_sum 9
ask_count 4
# TYPE my_count gauge
my_count 11
last 1`
    assert.deepEqual(
      [...samplesOf(page)].map(({ name, labels, value, type }) => [figureName(name, labels), value, type]),
      [
        ['requests_total{code="200",path="/a b,c\\"d\\\\e\\nf}"}', 1027, 'counter'],
        ['requests_total{code="500"}', 3, 'counter'],
        ['depth', 1500, 'gauge'],
        ['odd', NaN, 'gauge'],
        ['infinite', Infinity, 'gauge'],
        ['bare_total', 7, 'counter'],
        ['took_count{path="/"}', 6, 'counter'],
        ['took_count{path="/x"}', 2, 'counter'],
        ['ask_count', 4, 'counter'],
        ['my_count', 11, 'gauge'],
        ['last', 1, 'gauge'],
      ],
    )
  })

  it('of OpenMetrics is read too', () => {
    const page = '# TYPE jobs counter\n# UNIT jobs x\njobs_total 4\njobs_created 1.6e9\n# EOF\n'
    assert.deepEqual([...samplesOf(page)], [{ name: 'jobs_total', labels: {}, value: 4, type: 'counter' }])
  })

  it('that cannot be read is an error with the line', () => {
    assert.throws(() => [...samplesOf('a{b "c"} 1\n')], /invalid line: a\{b "c"\} 1/)
  })
})

describe('names of figures', () => {
  it('are bounded', () => {
    assert.equal(figureName('a', {}), 'a')
    assert.equal(figureName('a', { z: '1', b: 'x' }), 'a{b="x",z="1"}')
    assert.equal(figureName('a', { b: 'x'.repeat(1_000) }).length, 300)
  })
})

describe('rates of counters', () => {
  it('are per second, null at first, and begin again where a counter does', () => {
    const rates = new Rates()
    const at = (millis: number, value: number) => {
      rates.begin(millis)
      const rate = rates.of('a', value)
      rates.end()
      return rate
    }
    assert.equal(at(0, 100), null)
    assert.equal(at(2_000, 110), 5)
    assert.equal(at(4_000, 110), 0)
    assert.equal(at(5_000, 3), 3)
  })

  it('wait for a counter that was away', () => {
    const rates = new Rates()
    rates.begin(0)
    rates.of('a', 1)
    rates.end()
    rates.begin(1_000)
    rates.end()
    rates.begin(2_000)
    assert.equal(rates.of('a', 100), null)
  })
})
