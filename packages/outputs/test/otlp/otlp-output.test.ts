import assert from 'node:assert/strict'
import type { OutputError } from '../../src/errors.ts'
import { createOtlp } from '../../src/otlp/index.ts'
import { fixtureRun, fixtureSummary, outputConformance } from '../../src/testing.ts'
import { environmentWith, runOf } from '../prometheus/support/run.ts'
import { OtlpReceiver, type Point } from './support/otlp-receiver.ts'

const end = { type: 'end', summary: null } as const
const signal = () => AbortSignal.timeout(30_000)
const total = (points: readonly Point[]) => points.reduce((sum, { value }) => sum + value, 0)

outputConformance('otlp', {
  troubles: ['broken', 'hanging', 'refusing'],
  countsWarmUp: false,
  start: async () => {
    const receiver = await new OtlpReceiver().start()
    return {
      output: createOtlp(`${receiver.url}?every=1s`, environmentWith()),
      make: (trouble) => {
        if (trouble === 'hanging') receiver.answer = null
        else receiver.answer = { status: trouble === null ? 200 : trouble === 'broken' ? 503 : 401 }
      },
      arrived: async () => {
        assert.equal(receiver.problem, null)
        return {
          hits: total(receiver.latest('loads_hits_total')),
          failed: total(receiver.latest('loads_hits_failed_total')),
          times: receiver.points
            .filter(({ metric }) => metric === 'loads_users')
            .map(({ atNanos }) => Number(atNanos / 1_000_000n)),
          text: JSON.stringify(receiver.points.map(({ metric, attributes }) => [metric, attributes])),
        }
      },
      close: async () => receiver.stop(),
    }
  },
})

describe('otlp', () => {
  let receiver: OtlpReceiver
  beforeEach(async () => {
    receiver = await new OtlpReceiver().start()
  })
  afterEach(() => receiver.stop())

  for (const names of ['plain', 'hostile'] as const)
    it(`has the totals and the quantiles of the summary, with ${names} names`, async () => {
      const environment = environmentWith({ OTEL_RESOURCE_ATTRIBUTES: 'team=checkout,service.name=other' })
      const output = createOtlp(receiver.url, environment)
      await output.open(runOf(fixtureRun({ names })))
      await output.write([end], signal())
      assert.equal(receiver.problem, null)
      assert.deepEqual(environment.lines, [])
      const summary = fixtureSummary({ names })
      assert.equal(total(receiver.latest('loads_hits_total')), summary.hits.count)
      assert.equal(total(receiver.latest('loads_executions_total')), summary.tests.finished)
      const durations = receiver.latest('loads_hit_duration_seconds')
      assert.equal(total(durations), summary.hits.count)
      const merged = durations
        .flatMap(({ histogram }) => histogram!.buckets)
        .sort(([one], [other]) => one - other)
      const sum = durations.reduce((all, { histogram }) => all + histogram!.sum, 0)
      assert.ok(Math.abs(sum * 1000 - summary.serviceTime.sum) < 1e-6 * sum * 1000)
      for (const [share, exact] of [
        [0.5, summary.serviceTime.p50],
        [0.99, summary.serviceTime.p99],
      ] as const) {
        let left = Math.ceil(share * summary.hits.count)
        const [low, high] = merged.find(([, , count]) => (left -= count) <= 0)!
        // The bucket with the quantile, or an edge of it, is within 1 % of the exact one.
        assert.ok(
          low * 1000 <= exact! * 1.0103 && high * 1000 >= exact! * 0.9897,
          `${low}-${high} for ${exact} ms`,
        )
      }
      assert.equal(receiver.resource['service.name'], 'loads')
      assert.equal(receiver.resource.team, 'checkout')
      assert.equal(receiver.resource['loads.run.id'], 'fixture-run')
      assert.equal(receiver.resource['loads.project'], runOf(fixtureRun({ names })).spec.project)
      assert.deepEqual(new Set(receiver.paths), new Set(['/v1/metrics']))
      const starts = new Set(receiver.points.flatMap(({ startNanos }) => startNanos ?? []))
      assert.equal(starts.size, 1, 'one start for the whole run')
    })

  it('sends explicit histograms where it is told to', async () => {
    const output = createOtlp(`${receiver.url}/v1/metrics?histograms=explicit`, environmentWith())
    await output.open(runOf(fixtureRun()))
    assert.equal(receiver.problem, null)
    const durations = receiver.latest('loads_hit_duration_seconds')
    assert.equal(total(durations), fixtureSummary().hits.count)
    assert.equal(durations[0]!.histogram!.buckets.length, 14)
  })

  it('sends the headers of the environment, and shows none of them', async () => {
    const env = { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20hush,x-scope=a%2Cb' }
    receiver.answer = { status: 403, text: JSON.stringify({ code: 7, message: 'not your tenant' }) }
    await assert.rejects(
      createOtlp(receiver.url, environmentWith(env)).open(runOf(fixtureRun())),
      (error: OutputError) => {
        assert.equal(error.code, 'OUTPUT_REFUSED')
        assert.match(error.message, /status 403: not your tenant; check OTEL_EXPORTER_OTLP_HEADERS/)
        assert.doesNotMatch(error.message, /hush/)
        return true
      },
    )
    assert.equal(receiver.headers[0]!.authorization, 'Bearer hush')
    assert.equal(receiver.headers[0]!['x-scope'], 'a,b')
    const broken = { OTEL_EXPORTER_OTLP_HEADERS: 'a=1,hush hush' }
    assert.throws(
      () => createOtlp(receiver.url, environmentWith(broken)),
      (error: Error) => {
        assert.match(error.message, /entry 2 of OTEL_EXPORTER_OTLP_HEADERS is not NAME=VALUE/)
        return !error.message.includes('hush')
      },
    )
  })

  it('does not send again what was rejected in part, nor what was bad', async () => {
    const environment = environmentWith()
    const output = createOtlp(receiver.url, environment)
    await output.open(runOf(fixtureRun()))
    receiver.answer = {
      status: 200,
      text: JSON.stringify({ partialSuccess: { rejectedDataPoints: '3', errorMessage: 'too old' } }),
    }
    await output.write([end], signal())
    await output.write([end], signal())
    receiver.answer = { status: 400, text: '{"code":3,"message":"bad point"}' }
    await output.write([end], signal())
    assert.equal(environment.lines.length, 2, 'each is said once')
    assert.match(environment.lines[0]!, /rejected 3 data points: too old/)
    assert.match(environment.lines[1]!, /status 400: bad point; these data points are lost/)
    receiver.answer = { status: 500 }
    await output.write([end], signal())
    assert.equal(environment.lines.length, 3, 'by the specification 500 is not tried again')
  })

  it('waits as long as Retry-After says', async () => {
    const output = createOtlp(receiver.url, environmentWith())
    await output.open(runOf(fixtureRun()))
    receiver.answer = { status: 429, headers: { 'retry-after': '50' } }
    await assert.rejects(output.write([end], signal()), { code: 'OUTPUT_UNAVAILABLE' })
    const requests = receiver.paths.length
    await assert.rejects(output.write([end], signal()), /left alone for [2-5]\d s more/)
    assert.equal(receiver.paths.length, requests)
  })

  it('takes its address from the variables of OpenTelemetry', async () => {
    const open = (args: string, env: Record<string, string>) =>
      createOtlp(args, environmentWith(env)).open(runOf(fixtureRun()))
    await open('', { OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/base/` })
    await open('', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${receiver.url}/exact` })
    await open(`${receiver.url}/v1/metrics`, {})
    assert.deepEqual([...new Set(receiver.paths)], ['/base/v1/metrics', '/exact', '/v1/metrics'])
  })

  it('names what is wrong with its arguments', () => {
    const make = (args: string) => () => createOtlp(args, environmentWith())
    assert.throws(make(''), /an address is missing; write otlp:http/)
    assert.throws(
      make('me:secret@host:4318'),
      (error: Error) => /is no address/.test(error.message) && !/secret/.test(error.message),
    )
    assert.throws(make(`${receiver.url}?every=5s`), /every=5s is none of/)
    assert.throws(make(`${receiver.url}?histograms=fine`), /neither exponential nor explicit/)
    assert.throws(make(`${receiver.url}?delta=true`), /no option "delta"/)
  })
})
