import assert from 'node:assert/strict'
import fc from 'fast-check'
import { longestMs } from '../src/duration.ts'
import { planRun } from '../src/plan-run.ts'
import type { BundledTests, PlanContext } from '../src/plan-run.ts'
import { readSettings } from '../src/read-settings.ts'
import { stageProblem, stagesOf } from '../src/stages.ts'
import { fakeWorld } from './fake-world.ts'

const one = { label: 'T.test_a', className: 'T', method: 'test_a', weight: 1 }
const two = { label: 'T.test_b', className: 'T', method: 'test_b', weight: 3 }

async function plan(args: string[], bundle: Partial<BundledTests> = {}, context: Partial<PlanContext> = {}) {
  const env = { ...context.env, LOADS_TEST_DIR: '.' }
  const { settings, sources, tests } = await readSettings(fakeWorld([...args], { env }))
  const bundled: BundledTests = { hash: 'abc', tests: [one], conducted: false, serverUrl: null, ...bundle }
  const pem = { ca: null, cert: null, key: null }
  return planRun(settings, bundled, { tests, sources, pem, env, seed: 7, debugged: false, ...context })
}

describe('planRun', () => {
  it('runs a single test once', async () => {
    const spec = await plan(['m.T.test_a'])
    assert.deepEqual(spec.profile, {
      stages: [{ users: 1, iterations: 1, durationMs: null }],
      rampUpMs: 0,
      delayMs: 0,
    })
    assert.deepEqual([spec.names, spec.seed, spec.agents, spec.bundle], [['m.T.test_a'], 7, 1, 'abc'])
  })

  it('runs each test of a class as often as its weight says', async () => {
    const spec = await plan(['m.T', '-u', '10'], { tests: [one, two] })
    assert.deepEqual(spec.profile.stages, [{ users: 10, iterations: 4, durationMs: null }])
  })

  it('runs a single heavy test once, too', async () => {
    assert.equal((await plan(['m.T.test_b'], { tests: [two] })).profile.stages[0]!.iterations, 1)
  })

  it('gives each agent a user by default', async () => {
    const spec = await plan(['m.T', '--agents', '5'])
    assert.deepEqual([spec.agents, spec.profile.stages[0]!.users], [5, 5])
    assert.equal((await plan(['m.T', '-a', '5', '-u', '2'])).profile.stages[0]!.users, 2)
  })

  it('applies a duration to each stage', async () => {
    assert.deepEqual((await plan(['m.T', '-u', '10:20', '-d', '5s'])).profile.stages, [
      { users: 10, iterations: null, durationMs: 5000 },
      { users: 20, iterations: null, durationMs: 5000 },
    ])
  })

  it('waits for agents that it starts itself, and for no others', async () => {
    assert.ok((await plan(['m.T', '-a', '2'])).waitForAgentsMs > 0)
    assert.equal((await plan(['m.T', '-b', '@operator.join'])).waitForAgentsMs, 0)
  })

  it('puts class attributes between the file and the rest', async () => {
    const bundle = { serverUrl: 'http://class' }
    assert.equal((await plan(['m.T'], bundle)).target.serverUrl, null)
    assert.equal((await plan(['m.T', '--server-url', 'http://line'], bundle)).target.serverUrl, 'http://line')
    const { settings, sources, tests } = await readSettings(fakeWorld(['m.T', '--server-url', 'http://file']))
    const context = { tests, pem: { ca: null, cert: null, key: null }, env: {}, seed: 0, debugged: false }
    const fromFile = { ...context, sources: { ...sources, serverUrl: 'config' as const } }
    const bundled = { hash: 'abc', tests: [one], conducted: false, serverUrl: 'http://class' }
    assert.equal(planRun(settings, bundled, fromFile).target.serverUrl, null)
    assert.equal(planRun(settings, { ...bundled, serverUrl: null }, fromFile).target.serverUrl, 'http://file')
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
})

describe('stages', () => {
  it('pairs iterations with users', () => {
    const settings = { users: [10, 20], iterations: [5, 3], duration: null, agents: null }
    assert.deepEqual(stagesOf(settings, 1), [
      { users: 10, iterations: 5, durationMs: null },
      { users: 20, iterations: 3, durationMs: null },
    ])
  })

  it('spreads one number over all stages of the other', () => {
    const numbers = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(numbers, numbers, (users, iterations) => {
        const settings = { users, iterations, duration: null, agents: null }
        const pairs = users.length === iterations.length || users.length === 1 || iterations.length === 1
        assert.equal(stageProblem(settings) === null, pairs)
        if (!pairs) return
        const stages = stagesOf(settings, 1)
        assert.equal(stages.length, Math.max(users.length, iterations.length))
        for (const [index, stage] of stages.entries()) {
          assert.equal(stage.users, users[index] ?? users[0])
          assert.equal(stage.iterations, iterations[index] ?? iterations[0])
        }
      }),
    )
  })
})
