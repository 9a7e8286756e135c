import type { ClassAttributes } from '@loads-runner/engine'
import { preparePlan } from '../src/prepare-plan.ts'
import type { BundleFacts, OwnContext, PreparedPlan } from '../src/prepare-plan.ts'
import { readSettings } from '../src/read-settings.ts'
import { fakeWorld } from './fake-world.ts'

export const one = { label: 'T.test_a', className: 'T', method: 'test_a', weight: 1 }
export const two = { label: 'T.test_b', className: 'T', method: 'test_b', weight: 3 }

export function classOf(name: string, changes: Partial<ClassAttributes> = {}): ClassAttributes {
  return { name, labels: [`${name}.test_a`], load: null, thresholds: [], ...changes }
}

/** What a bundle of these tests would say. */
export function bundleOf(changes: Partial<BundleFacts> = {}): BundleFacts {
  const tests = changes.tests ?? [one]
  const labels = tests.map(({ label }) => label)
  return {
    hash: 'abc',
    tests,
    classes: [classOf('T', { labels })],
    named: [{ name: 'm.T', labels }],
    conducted: false,
    serverUrl: null,
    ...changes,
  }
}

/** The plan of a command line. */
export async function planOf(
  args: string[],
  bundle: Partial<BundleFacts> = {},
  { cwd, ...context }: Partial<OwnContext> & { cwd?: string } = {},
): Promise<PreparedPlan> {
  const env = { ...context.env, LOADS_TEST_DIR: '.' } as Record<string, string>
  const invocation = await readSettings(fakeWorld([...args], { env, ...(cwd === undefined ? {} : { cwd }) }))
  const pem = { ca: null, cert: null, key: null }
  return preparePlan(invocation, bundleOf(bundle), {
    pem,
    seed: 7,
    debugged: false,
    outputs: [],
    proxies: null,
    baseline: null,
    ...context,
    env,
  })
}
