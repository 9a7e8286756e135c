import { resolve } from 'node:path'
import { plural } from '../console/figures.ts'
import { oneLine, textTable } from '../console/text-table.ts'
import { describeModel } from '../load-models/index.ts'
import { secretsOf, variablesOf } from '../plan-run.ts'
import { preparePlan } from '../prepare-plan.ts'
import type { Invocation } from '../read-settings.ts'
import { readPem } from '../start-run.ts'
import type { World } from '../world.ts'
import { jsonText } from '../write-json.ts'

/** `--dry-run`: loads the tests and shows the plan. */
export async function dryRunCommand(world: World, invocation: Invocation): Promise<number> {
  const { settings, tests } = invocation
  const [{ bundleTests }, { redacted }] = await Promise.all([
    import('@loads-runner/engine'),
    import('@loads-runner/protocol'),
  ])
  // What tests say while they are loaded is no part of the answer.
  const giveBackOutput = world.captureOutput((line) => world.stderr.write(`${line}\n`))
  const bundle = await bundleTests({
    testDir: resolve(world.cwd, settings.testDir),
    names: [...tests],
    includeFiles: [...settings.includeFile],
    external: [...settings.external],
    env: { ...variablesOf(settings, world.env), ...secretsOf(settings, world.env) },
  }).finally(giveBackOutput)
  const { spec } = preparePlan(invocation, bundle, {
    pem: await readPem(settings, world.cwd),
    env: world.env,
    seed: settings.seed ?? 0,
    debugged: world.debugged(),
  })
  if (settings.json === '-') {
    world.stdout.write(jsonText(redacted(spec)))
    return 0
  }
  const rows = textTable(spec.tests, [
    { title: 'test', of: (test) => test.label },
    { title: 'weight', align: 'right', of: (test) => String(test.weight) },
  ])
  const stages = spec.profile.scenarios.flatMap(({ stages: models }) =>
    models.map((model, index) => `stage ${index + 1}: ${describeModel(model)}\n`),
  )
  const target = spec.target.serverUrl ?? bundle.serverUrl
  world.stdout.write(
    `${rows}\n${stages.join('')}${plural(spec.agents, 'agent')}${target === null ? '' : `, target ${oneLine(target)}`}\n` +
      `bundle ${bundle.hash.slice(0, 12)}, ${bundle.bytes.length} bytes\n`,
  )
  return 0
}
