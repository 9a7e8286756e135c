import assert from 'node:assert/strict'
import { makeReport, reportText, stepText } from '../../src/capacity/report.ts'
import type { Capacity } from '../../src/capacity/search.ts'
import type { StepFigures } from '../../src/capacity/step-meter.ts'
import { svgPlot } from '../../src/capacity/svg-plot.ts'
import { textPlot } from '../../src/capacity/text-plot.ts'

const step = (target: number, changes: Partial<StepFigures> = {}): StepFigures => ({
  target,
  purpose: 'grow',
  outcome: 'held',
  reasons: [],
  seconds: 10,
  startedPerSecond: target,
  users: 3,
  dropped: 0,
  hits: 10 * target,
  p50: 5,
  p95: 12,
  p99: 20,
  trustedTo: 0.96,
  badShare: 0,
  standings: [{ expression: 'http_req_duration: p(95)<200', value: 12, ok: true, samples: 400 }],
  ...changes,
})
const failed = step(80, {
  outcome: 'failed',
  p95: 900,
  badShare: 0.05,
  standings: [{ expression: 'http_req_duration: p(95)<200', value: 900, ok: false, samples: 400 }],
})
const steps = [step(40), failed, step(40, { purpose: 'hold', seconds: 20 })]
const report = (found: Partial<Capacity>, made = steps, complete = true) =>
  makeReport(
    'r1',
    'p(95)<200',
    'rate',
    complete,
    { target: 40, failsAt: 80, limit: 'target', confirmed: true, ...found },
    made,
  )

describe('capacity/report', () => {
  it('shows the steps, the curve and the answer', () => {
    assert.equal(
      reportText(report({})),
      `
step  rate  for           seconds  started/s    p50    p95    p99  errors  objective
   1  40/s  growth           10.0         40  5.0ms   12ms  ~20ms      0%  holds
   2  80/s  growth           10.0         80  5.0ms  900ms  ~20ms      5%  fails
   3  40/s  confirmation     20.0         40  5.0ms   12ms  ~20ms      0%  holds

p95 by load (o: holds, x: does not)
900ms |                                                       x
      |
      |
      |
      |
      |
409ms |
      |
      |
      |
      |
  0us |o
      +--------------------------------------------------------
       40/s                                                80/s

errors and failures by load
5% |                                                       *
   |
   |
2% |
   |
0% |*
   +--------------------------------------------------------
    40/s                                                80/s

The target holds p(95)<200 up to 40/s (confirmed, 3 steps); at 80/s it fails.
`,
    )
    assert.equal(
      stepText(failed, 2, 'rate'),
      'step 2: 80/s fails; 80 started/s, http_req_duration: p(95)<200 (900, crossed)',
    )
  })

  it('says in a sentence what was found, or why nothing was', () => {
    const answers = [
      report({ failsAt: null, limit: 'most' }),
      report({ limit: 'generator' }),
      report({ target: null, failsAt: 40 }, [failed]),
      report({ target: null, limit: 'generator' }, [failed]),
      report({ target: null, limit: 'unclear' }, [failed]),
      report({ target: 40, failsAt: null, limit: 'most', confirmed: false }, steps, false),
      report({ target: null, failsAt: null, limit: 'unclear' }, [], false),
    ].map(({ answer }) => answer)
    assert.deepEqual(answers, [
      'The target holds p(95)<200 up to 40/s (confirmed, 3 steps); that is the highest load that was allowed: raise --capacity-max to look further.',
      'The target holds p(95)<200 up to 40/s (confirmed, 3 steps); at 80/s the load generator was the limit, not the target: use more agents, or more --users.',
      'Not even 80/s holds p(95)<200.',
      'The generator could not make 80/s: nothing can be said of the target. Use more agents, or more --users.',
      'No load gave enough samples to judge p(95)<200: take a longer --capacity-step, or a higher start.',
      'The search was cut short. The target holds p(95)<200 up to 40/s (not confirmed, 3 steps); that is the highest load that was tried.',
      'The search was cut short. Nothing was measured.',
    ])
  })

  it('draws any points without leaving the canvas', () => {
    const options = { width: 10, height: 3, formatX: String, formatY: (y: number) => y.toFixed(1) }
    assert.equal(textPlot([], options), '')
    assert.equal(textPlot([{ mark: 'o', points: [{ x: 5, y: 0 }] }], options).split('\n')[2], '0.0 |o')
    const points = Array.from({ length: 50 }, (_, each) => ({ x: each, y: 1000 / (each + 1) }))
    for (const line of textPlot([{ mark: 'o', points }], options)
      .trimEnd()
      .split('\n'))
      assert.ok(line.length <= 10 + '1000.0 |'.length, line)
  })

  it('draws a picture that is well formed, whatever was measured', () => {
    const unclear = step(10, { outcome: 'unclear', p95: null, badShare: null })
    const picture = svgPlot([...steps, unclear], {
      title: 'p(95)<200 & "more"',
      unit: 'executions per second',
      capacity: 40,
    })
    assert.match(picture, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
    assert.match(picture, /p\(95\)&lt;200 &amp; &quot;more&quot;/)
    assert.ok(!picture.includes('NaN') && !picture.includes('null') && !picture.includes('undefined'))
    assert.equal(picture.match(/<circle/g)!.length, 3)
    assert.ok(!svgPlot([], { title: '', unit: 'users', capacity: null }).includes('NaN'))
  })
})
