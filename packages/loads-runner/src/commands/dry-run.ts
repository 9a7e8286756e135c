import { resolve } from 'node:path'
import { readBaseline } from '../baseline.ts'
import { outlineOf } from '../load-outline.ts'
import { secretsOf, variablesOf } from '../plan-run.ts'
import { preparePlan } from '../prepare-plan.ts'
import type { Invocation } from '../read-settings.ts'
import { estimateFor } from '../resource-estimate.ts'
import { planOutputs } from '../outputs/planned-outputs.ts'
import { planProxies } from '../run-company.ts'
import { readPem } from '../start-run.ts'
import type { World } from '../world.ts'
import { jsonText } from '../write-json.ts'
import { dryRunText } from './dry-run-text.ts'
import type { DryRun } from './dry-run-text.ts'

/** `--dry-run`: loads the tests and shows the plan. */
export async function dryRunCommand(world: World, invocation: Invocation): Promise<number> {
  const { settings, tests } = invocation
  const [{ bundleTests }, { redacted }] = await Promise.all([
    import('@loads-runner/engine'),
    import('@loads-runner/protocol'),
  ])
  const environment = { cwd: world.cwd, env: world.env, log: () => {} }
  const { broker: outputs } = await planOutputs(settings, environment)
  await planProxies(settings, environment)
  const baseline = await readBaseline(settings, tests, world.cwd)
  // What tests say while they are loaded is no part of the answer.
  const giveBackOutput = world.captureOutput((line) => world.stderr.write(`${line}\n`))
  const bundle = await bundleTests({
    testDir: resolve(world.cwd, settings.testDir),
    names: [...tests],
    includeFiles: [...settings.includeFile],
    external: [...settings.external],
    env: { ...variablesOf(settings, world.env), ...secretsOf(settings, world.env) },
  }).finally(giveBackOutput)
  const { spec, notes } = preparePlan(invocation, bundle, {
    pem: await readPem(settings, world.cwd),
    env: world.env,
    seed: settings.seed ?? 0,
    debugged: world.debugged(),
    outputs: outputs.map(({ text }) => text),
    proxies: null,
    baseline,
  })
  const outline = outlineOf(spec.profile, spec.agents)
  const plan: DryRun = {
    spec,
    seed: settings.seed,
    outline,
    estimates: outline.agents.map(({ users }) => estimateFor(users, spec.target)),
    notes,
    bundle: { hash: bundle.hash, bytes: bundle.bytes.length, files: bundle.files },
    target: spec.target.serverUrl ?? bundle.serverUrl,
  }
  if (settings.json === '-') {
    const { estimates, seed } = plan
    const agents = outline.agents.map((agent, index) => ({ ...agent, estimate: estimates[index]! }))
    world.stdout.write(
      jsonText({ ...redacted(spec), seed, plan: { ...outline, agents, notes, dataFiles: bundle.files } }),
    )
  } else {
    world.stdout.write(dryRunText(plan))
  }
  return 0
}
