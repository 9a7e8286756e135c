import { writeAtomically } from '@loads-runner/history'
import { join, resolve } from 'node:path'
import { Secrets } from '@loads-runner/testcase/secrets'
import { displayStream, sayUnwritten } from '../commands/run.ts'
import { inColor } from '../console/color.ts'
import { silentDisplay } from '../console/display.ts'
import type { Display } from '../console/display.ts'
import { openDisplay } from '../console/open-display.ts'
import { reportFailure, UsageError } from '../errors.ts'
import { exitCodes, worseOf } from '../exit-codes.ts'
import { Interrupts } from '../interrupts.ts'
import { secretsOf } from '../plan-run.ts'
import { preparePlan } from '../prepare-plan.ts'
import type { Invocation } from '../read-settings.ts'
import { startRun } from '../start-run.ts'
import type { RunOutcome } from '../start-run.ts'
import type { World } from '../world.ts'
import { jsonText, whyNotWritable, writeJson } from '../write-json.ts'
import { parseObjective } from './objective.ts'
import { CapacityPilot } from './pilot.ts'
import { makeReport, reportText, stepText } from './report.ts'
import type { CapacityReport } from './report.ts'
import { svgPlot } from './svg-plot.ts'

/**
 * `--find-capacity OBJECTIVE`: one run whose rate (or users) is driven from here until the highest load that holds the
 * objective is known.
 */
export async function findCapacity(world: World, invocation: Invocation): Promise<number> {
  const { settings } = invocation
  const objective = settings.findCapacity ?? ''
  const thresholds = parseObjective(objective)
  await check(world, invocation)
  const stream = displayStream(world, invocation)
  const display: Display = settings.quiet
    ? {
        ...silentDisplay,
        notice: (text) => (text.startsWith('control: ') ? undefined : world.stderr.write(`${text}\n`)),
      }
    : openDisplay(stream, false)
  const interrupts = new Interrupts(world)
  const secrets = new Secrets(Object.values(secretsOf(settings, world.env)))
  const giveBackOutput = world.captureOutput((line) => display.notice(secrets.hide(line)))
  const pilot = new CapacityPilot({
    thresholds,
    stepMs: settings.capacityStep,
    most: settings.capacityMax,
    tolerance: settings.capacityTolerance,
    start: settings.start?.value ?? null,
    bounded: invocation.sources.duration === 'command line',
    onStep: (figures, number) => {
      if (!settings.quiet) display.notice(stepText(figures, number, pilot.controls))
    },
  })
  try {
    const driven = controlled(invocation)
    const outcome = await startRun({
      invocation: driven,
      plan: (facts, context) => {
        const { spec, ...rest } = preparePlan(driven, facts, context)
        return { ...rest, spec: pilot.plan(spec) }
      },
      world,
      display,
      interrupts,
      openDirectory: async () => {
        const { RunDirectory } = await import('../run-directory.ts')
        return RunDirectory.create(resolve(world.cwd, settings.results), (text) => display.notice(text))
      },
      // The search is done from here: it cannot be left.
      askToDetach: null,
      pilot,
    })
    const failure = await pilot.close().then(
      () => null,
      (error: unknown) => error,
    )
    const { runId } = outcome
    const found = pilot.answer
    if (found === null) return outcome.exitCode
    const report = makeReport(runId, objective, pilot.controls, pilot.complete, found, pilot.steps)
    const written = await write(world, invocation, outcome, report)
    display.text(inColor(reportText(report), stream, world.env))
    if (settings.quiet && settings.json !== '-') world.stdout.write(`${report.answer}\n`)
    const exitCode = worseOf(exitCodeOf(report, outcome), written)
    if (failure === null) return exitCode
    const { text, exitCode: code } = reportFailure(failure)
    world.stderr.write(text)
    return worseOf(exitCode, code)
  } finally {
    giveBackOutput()
    interrupts.close()
  }
}

/** The same run with a load that is controlled from here; which, is what was given: users, or a rate. */
function controlled(invocation: Invocation): Invocation {
  const { settings, layers } = invocation
  if (settings.controlled !== null) return invocation
  const what = settings.users !== null && settings.rate === null ? 'users' : 'rate'
  const values = new Map([['controlled' as const, [what]]])
  const layer = { source: 'command line' as const, values, nameOf: () => '--find-capacity' }
  // How far the search has come is where it starts: a start of its own is for the pilot.
  return {
    ...invocation,
    settings: { ...settings, controlled: what },
    layers: { ...layers, nearer: [...layers.nearer.map(withoutStart), layer] },
  }
}

function withoutStart<L extends Invocation['layers']['nearer'][number]>(layer: L): L {
  if (!layer.values.has('start')) return layer
  return { ...layer, values: new Map([...layer.values].filter(([key]) => key !== 'start')) }
}

async function check(world: World, { settings, scenarios }: Invocation): Promise<void> {
  const problems: string[] = []
  if (settings.detach) problems.push('--find-capacity drives its run from here and cannot --detach')
  if (scenarios.length > 1) {
    const names = scenarios.map(({ name }) => name).join(', ')
    problems.push(
      `--find-capacity drives one scenario, and the configuration has ${names}: name the tests of one`,
    )
  }
  if (settings.capacityTolerance <= 0 || settings.capacityTolerance >= 1)
    problems.push('--capacity-tolerance is a part of the answer: above 0 and below 1')
  const { json } = settings
  if (json !== null && json !== '-') {
    const why = await whyNotWritable(resolve(world.cwd, json))
    if (why !== null) problems.push(`cannot write ${json}: ${why}`)
  }
  if (problems.length > 0) throw new UsageError(problems)
}

/** Returns the exit code of that alone. */
async function write(
  world: World,
  invocation: Invocation,
  outcome: RunOutcome,
  report: CapacityReport,
): Promise<number> {
  const { settings } = invocation
  const failures: unknown[] = outcome.recordError === null ? [] : [outcome.recordError]
  const attempt = async (step: () => Promise<void>) =>
    step().catch((error: unknown) => void failures.push(error))
  if (settings.json === '-') world.stdout.write(jsonText(report))
  else if (settings.json !== null) await attempt(() => writeJson(resolve(world.cwd, settings.json!), report))
  const { directory } = outcome
  if (directory !== null) {
    const title = `Capacity for ${report.objective}`
    const unit = report.controls === 'rate' ? 'executions per second' : 'users'
    await attempt(() => writeJson(join(directory, 'capacity.json'), report))
    const picture = svgPlot(report.steps, { title, unit, capacity: report.capacity })
    await attempt(() => writeAtomically(join(directory, 'capacity.svg'), picture))
  }
  let exitCode = sayUnwritten(world, outcome)
  for (const failure of failures) {
    const { text, exitCode: code } = reportFailure(failure)
    world.stderr.write(text)
    exitCode = worseOf(exitCode, code)
  }
  return exitCode
}

/** What breaks a run breaks its search; that it was stopped at the end, or had errors on the way, is the plan. */
function exitCodeOf({ complete, capacity }: CapacityReport, { exitCode }: RunOutcome): number {
  const found = capacity === null ? exitCodes.threshold : 0
  const expected: number[] = [
    0,
    exitCodes.failed,
    exitCodes.generatorLimited,
    exitCodes.stopped,
    exitCodes.threshold,
  ]
  if (!expected.includes(exitCode)) return exitCode
  return complete ? found : exitCode
}
