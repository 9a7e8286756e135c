import type { Bundle } from '@loads-runner/engine'
import type { RunSpec } from '@loads-runner/protocol'
import { longestMs } from '../duration.ts'
import { UsageError } from '../errors.ts'
import type { OwnContext, PreparedPlan } from '../prepare-plan.ts'
import type { Invocation } from '../read-settings.ts'
import { findExecution, readRecordedRun } from '../recorded-run.ts'
import type { FoundExecution, RecordedRun } from '../recorded-run.ts'
import type { World } from '../world.ts'
import { runCommand } from './run.ts'

/** `--replay RUN:EXECUTION`: one execution of a run that was, on the main thread, with its seed and its rows. */
export async function replayCommand(
  world: World,
  invocation: Invocation,
  onInputs?: (inputs: readonly string[]) => void,
): Promise<number> {
  const { settings, sources } = invocation
  const target = settings.replay!
  const recorded = await readRecordedRun(target.run, settings.results, world.cwd)
  const found = findExecution(recorded.spec, target)
  const { source, spec } = recorded
  const again: Invocation = {
    ...invocation,
    tests: spec.names,
    settings: {
      ...settings,
      testDir: sources.testDir === 'default' ? source.testDir : settings.testDir,
      includeFile: source.includeFile,
      external: source.external,
      testRunner: spec.testRunner,
      secret: secretsAgain(spec, invocation, world.env),
      env: Object.fromEntries(Object.entries(spec.env)),
    },
  }
  if (spec.testRunner !== null)
    throw new UsageError(
      `--replay: run ${target.run} was made by a test runner (${spec.testRunner}), which cannot be told to run one execution`,
    )
  const plan = (bundle: Bundle, context: OwnContext) =>
    replayPlan(
      recorded,
      found,
      bundle,
      context,
      sources.serverUrl === 'command line' ? settings.serverUrl : null,
    )
  return runCommand(world, again, {
    plan,
    keepsDirectory: false,
    ...(onInputs === undefined ? {} : { onInputs }),
  })
}

function replayPlan(
  { spec, directory }: RecordedRun,
  { id, replay, stage }: FoundExecution,
  bundle: Bundle,
  { pem, debugged }: OwnContext,
  serverUrl: string | null,
): PreparedPlan {
  const labels = bundle.tests.map(({ label }) => label)
  const gone = stage.scenario.tests.filter(({ label }) => !labels.includes(label))
  if (gone.length > 0)
    throw new UsageError(
      `--replay: ${gone.map(({ label }) => label).join(', ')} of that run is not there any more`,
    )
  if (spec.target.key !== null && pem.key === null)
    throw new UsageError('--replay: the run had a TLS key, which no record holds: give --key FILE again')
  const changed = bundle.hash === spec.bundle ? [] : ['the tests have changed since that run']
  return {
    spec: {
      ...spec,
      tests: bundle.tests.map((test) => ({ ...test })),
      bundle: bundle.hash,
      conducted: bundle.conducted,
      agents: 1,
      workers: 0,
      target: {
        ...spec.target,
        key: pem.key,
        serverUrl: serverUrl ?? spec.target.serverUrl,
        timeoutMs: debugged ? longestMs : spec.target.timeoutMs,
      },
      testTimeoutMs: debugged ? longestMs : spec.testTimeoutMs,
      thresholds: [],
      warmUpMs: 0,
      replay,
    },
    notes: [
      `replaying execution ${id} of ${directory}: ${whoText(stage, replay)}, seed ${spec.seed}`,
      'rows of data files are those of that execution, except rows that were leased',
      ...changed,
    ],
  }
}

function whoText({ model }: FoundExecution['stage'], { unit, iteration }: FoundExecution['replay']): string {
  if (model.type === 'shared-hits') return `hit ${iteration}`
  return model.type === 'constant-rate' ||
    model.type === 'ramping-rate' ||
    (model.type === 'externally-controlled' && model.controls === 'rate')
    ? `start ${iteration}`
    : `user ${unit}, iteration ${iteration}`
}

/** Values of secrets are in no record: they come from variables again, by the option or by their own names. */
function secretsAgain(spec: RunSpec, { settings }: Invocation, env: World['env']): Record<string, string> {
  const from = Object.fromEntries(
    Object.keys(spec.secrets).map((name) => [name, settings.secret[name] ?? name]),
  )
  const problems = Object.entries(from)
    .filter(([, variable]) => env[variable] === undefined)
    .map(
      ([name]) =>
        `--replay: the run had a secret ${name}, which no record holds: give --secret ${name}=env:X again`,
    )
  if (problems.length > 0) throw new UsageError(problems)
  return from
}
