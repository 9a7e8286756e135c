import assert from 'node:assert/strict'
import { codec, runSpecSchema } from '@loads-runner/protocol'
import { defaultConnections } from '@loads-runner/testcase'
import { longestMs } from '../src/duration.ts'
import type { BundleFacts, OwnContext } from '../src/prepare-plan.ts'
import { one, planOf, two } from './plan-of.ts'

async function plan(args: string[], bundle: Partial<BundleFacts> = {}, context: Partial<OwnContext> = {}) {
  const { spec } = await planOf(args, bundle, context)
  return codec.validate(runSpecSchema, spec)
}

const plain = { type: 'hits-per-user', users: 1, iterations: 1, rampUpMs: 0, maxDurationMs: null }

describe('planRun', () => {
  it('runs a single test once', async () => {
    const spec = await plan(['m.T.test_a'])
    assert.deepEqual(spec.profile.scenarios, [
      {
        name: 'default',
        tests: [{ label: 'T.test_a', weight: 1 }],
        startMs: 0,
        stages: [plain],
        pause: { type: 'none' },
        gracefulStopMs: 30_000,
        tags: {},
        params: {},
      },
    ])
    assert.deepEqual([spec.names, spec.seed, spec.agents, spec.bundle], [['m.T.test_a'], 7, 1, 'abc'])
    assert.deepEqual([spec.thresholds, spec.warmUpMs, spec.precise, spec.replay], [[], 0, false, null])
  })

  const stagesOf = async (args: string[], bundle: Partial<BundleFacts> = {}) =>
    (await plan(args, bundle)).profile.scenarios[0]!.stages

  it('runs each test of a class as often as its weight says', async () => {
    assert.deepEqual(await stagesOf(['m.T', '-u', '10'], { tests: [one, two] }), [
      { ...plain, users: 10, iterations: 4 },
    ])
  })

  it('runs a single heavy test once, too', async () => {
    assert.deepEqual(await stagesOf(['m.T.test_b'], { tests: [two] }), [plain])
  })

  it('gives each agent a user by default', async () => {
    const spec = await plan(['m.T', '--agents', '5'])
    assert.deepEqual([spec.agents, spec.profile.scenarios[0]!.stages], [5, [{ ...plain, users: 5 }]])
    assert.deepEqual(await stagesOf(['m.T', '-a', '5', '-u', '2']), [{ ...plain, users: 2 }])
  })

  it('applies a duration to each stage', async () => {
    const stage = { type: 'constant-users', durationMs: 5000, rampUpMs: 0 }
    assert.deepEqual(await stagesOf(['m.T', '-u', '10:20', '-d', '5s']), [
      { ...stage, users: 10 },
      { ...stage, users: 20 },
    ])
  })

  it('waits for agents that it starts itself, and for no others', async () => {
    assert.ok((await plan(['m.T', '-a', '2'])).waitForAgentsMs > 0)
    assert.equal((await plan(['m.T', '-b', '@operator.join'])).waitForAgentsMs, 0)
  })

  it('keeps the class attribute serverUrl between the file and the rest', async () => {
    const bundle = { serverUrl: 'http://class' }
    assert.equal((await plan(['m.T'], bundle)).target.serverUrl, null)
    assert.equal((await plan(['m.T', '--server-url', 'http://line'], bundle)).target.serverUrl, 'http://line')
  })

  it('keeps secrets apart from the environment', async () => {
    const env = { MINE: 'value', TOKEN: 'hush' }
    const spec = await plan(['m.T', '--env', 'MINE', '--env', 'A=1', '--secret', 'T=env:TOKEN'], {}, { env })
    assert.deepEqual(spec.env, { MINE: 'value', A: '1' })
    assert.deepEqual(spec.secrets, { T: 'hush' })
  })

  it('turns time-outs off and threads away under a debugger', async () => {
    const spec = await plan(['m.T', '--workers', '4', '--timeout', '1s'], {}, { debugged: true })
    assert.deepEqual([spec.workers, spec.target.timeoutMs, spec.testTimeoutMs], [0, longestMs, longestMs])
  })

  it('says how users hold their connections', async () => {
    assert.deepEqual((await plan(['m.T'])).target.connections, defaultConnections)
    const args = '--http2 --connections shared --max-connections 7 --max-requests 5 --keep-alive 2s'
    const more = '--source-address 127.0.0.1 --source-address ::1 --dns spread --phases --trace'
    const { target } = await plan(['m.T', ...args.split(' '), ...more.split(' ')])
    assert.deepEqual(target.connections, {
      policy: 'shared',
      most: 7,
      mostRequests: 5,
      keepAliveMs: 2000,
      sourceAddresses: ['127.0.0.1', '::1'],
      dns: 'spread',
    })
    assert.deepEqual([target.http2, target.phases, target.trace], [true, true, true])
  })

  it('lets executions go on for as long as was said, also when the run is stopped', async () => {
    const spec = await plan(['m.T', '--graceful-stop', '5s', '--warm-up', '2s', '--precise'])
    assert.deepEqual([spec.drainMs, spec.profile.scenarios[0]!.gracefulStopMs], [5000, 5000])
    assert.deepEqual([spec.warmUpMs, spec.precise], [2000, true])
  })

  it('refuses a warm-up that leaves nothing to measure', async () => {
    await plan(['m.T', '-d', '10s', '--warm-up', '9s'])
    await plan(['m.T', '--iterations', '5', '--warm-up', '1h'])
    await assert.rejects(
      plan(['m.T', '-d', '10s', '--warm-up', '10s']),
      /^UsageError: --warm-up is as long as the whole load \(10s\)/,
    )
  })

  it('runs each test once with --once, whatever weights and classes say', async () => {
    const classes = [
      { name: 'T', labels: ['T.test_a', 'T.test_b'], load: { rate: '5/s', duration: '1m' }, thresholds: [] },
    ]
    const spec = await plan(['m.T', '--once'], { tests: [one, two], classes })
    const [scenario] = spec.profile.scenarios
    assert.deepEqual(scenario!.stages, [{ ...plain, iterations: 2 }])
    assert.deepEqual(
      scenario!.tests.map(({ weight }) => weight),
      [1, 1],
    )
    assert.equal(spec.workers, 0)
  })

  it('makes one scenario of an external runner', async () => {
    const nothing = { tests: [], classes: [], named: [] }
    const spec = await plan(['--test-runner', 'true', '-u', '3'], nothing)
    assert.deepEqual(spec.profile.scenarios[0]!.stages, [{ ...plain, users: 3 }])
  })
})
