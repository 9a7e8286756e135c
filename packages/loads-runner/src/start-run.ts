import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Bundle } from '@loads-runner/engine'
import type { Summary } from '@loads-runner/metrics'
import type { RunEvent, RunSpec } from '@loads-runner/protocol'
import type { OutputHealth } from '@loads-runner/outputs'
import { readBaseline } from './baseline.ts'
import { BrokerConnection } from './broker-connection.ts'
import type { RunConduct } from './conduct.ts'
import type { Display } from './console/display.ts'
import { UsageError } from './errors.ts'
import { checkLimits } from './host-limits.ts'
import { certainUsersAtOnce } from './load-outline.ts'
import { exitCodeOfSignal } from './interrupts.ts'
import type { Interrupts } from './interrupts.ts'
import type { Place } from './place.ts'
import { preparePlan } from './prepare-plan.ts'
import type { OwnContext, PreparedPlan } from './prepare-plan.ts'
import { secretsOf, variablesOf } from './plan-run.ts'
import type { Invocation } from './read-settings.ts'
import type { RunDirectory } from './run-directory.ts'
import { RunCompany } from './run-company.ts'
import { RunRecord } from './run-record.ts'
import { Secrets } from '@loads-runner/testcase/secrets'
import { Teardown } from './teardown.ts'
import { watchRun } from './watch-run.ts'
import type { DetachQuestion, WatchedRun, WatchEnd } from './watch-run.ts'
import type { World } from './world.ts'

/** What a run needs of whoever starts it. */
export interface RunRequest {
  invocation: Invocation
  world: Pick<World, 'env' | 'cwd' | 'limits' | 'debugged'>
  display: Display
  interrupts: Interrupts
  /** Makes the run directory; null when the run leaves none. */
  openDirectory: (() => Promise<RunDirectory>) | null
  /** Makes the plan once the tests are bundled; left out: from the invocation. */
  plan?: (tests: Bundle, context: OwnContext) => PreparedPlan
  /** Told which files the run was made from. */
  onInputs?: (inputs: readonly string[]) => void
  /** Asked at the first Ctrl-C when the run could go on without us; null when nobody can be asked. */
  askToDetach: DetachQuestion | null
  /** Drives the run; a plain run has none. */
  pilot?: RunPilot
}

/** Who drives a run from here while it goes on. */
export interface RunPilot {
  /** Called before the first event. */
  begin(run: WatchedRun, runId: string): void
  /** Every event, in order. */
  take(event: RunEvent): void
}

export interface RunOutcome {
  runId: string
  /** Null when the run goes on without us, or was left before its end. */
  summary: Summary | null
  exitCode: number
  detached: boolean
  /** Path of the run directory; null without one. */
  directory: string | null
  /** Why the summary is not in the run directory; null when it is. */
  recordError: unknown
  /** Result files that are not whole. */
  unwritten: readonly OutputHealth[]
}

/** Everything from the names of tests to the end of their run. Whatever was started is stopped again, also on errors. */
export async function startRun(request: RunRequest): Promise<RunOutcome> {
  const { invocation, world, display, interrupts } = request
  const { settings } = invocation
  const teardown = new Teardown((name, error) =>
    display.notice(`warning: ${name} did not end well: ${String(error)}`),
  )
  const [company, baseline] = await Promise.all([
    RunCompany.plan(request),
    readBaseline(settings, invocation.tests, world.cwd),
  ])
  try {
    const directory = settings.detach || request.openDirectory === null ? null : await request.openDirectory()
    let begun = false
    if (directory !== null) {
      teardown.add('the run directory', () => (begun ? directory.close() : directory.discard()))
    }
    company.prepare(directory, teardown)
    // Bundling and starting processes both take their time: at once, then. What fails first is said.
    const place = openPlace(request, directory)
    teardown.add('the cluster', async () => (await place.catch(() => null))?.stop())
    const connecting = place.then(({ dialer }) => BrokerConnection.open(dialer))
    // Said when its turn comes: what is wrong with the tests is more useful to know.
    connecting.catch(() => {})
    teardown.add('the connection', async () => (await connecting.catch(() => null))?.close())
    const bundling = bundle(request)
    const [tests, pem] = await interrupts.race(Promise.all([bundling, readPem(settings, world.cwd)]))
    const proxies = await interrupts.race(company.proxyVariables())
    const seed = settings.seed ?? randomInt(2 ** 32)
    const context = {
      pem,
      env: world.env,
      seed,
      debugged: world.debugged(),
      outputs: company.brokerOutputs,
      proxies,
      baseline,
    }
    const plan = request.plan ?? ((facts, own) => preparePlan(invocation, facts, own))
    const { spec, notes } = plan(tests, context)
    for (const note of notes) display.notice(`note: ${note}`)
    await sayLimits(request, spec)
    if (settings.detach && spec.conducted) {
      throw new UsageError(
        '--detach: the tests have setUpRun or tearDownRun, which run in this process: it has to stay',
      )
    }
    const connection = await interrupts.race(connecting)
    const secrets = new Secrets([
      ...Object.values(secretsOf(settings, world.env)),
      ...(pem.key === null ? [] : [pem.key]),
      ...Object.values(proxies?.(false).secrets ?? {}),
    ])
    await company.open(await place, secrets, teardown)
    const { runId } = await interrupts.race(submit(connection, spec, tests))
    if (settings.detach) {
      await connection.close()
      const nothing = { summary: null, directory: null, recordError: null, unwritten: [] }
      return { runId, exitCode: 0, detached: true, ...nothing }
    }
    begun = true
    const { testDir, includeFile, external } = settings
    const source = { testDir: resolve(world.cwd, testDir), includeFile, external }
    const record = directory === null ? null : new RunRecord(directory, spec, runId, secrets, source)
    await record?.begin()
    const end = await watch(request, spec, tests, runId, connection, await place, secrets, company, record)
    // The figures are at hand all the same: a full disk must not take them away.
    const recordError = await record?.finish(end.view).then(
      () => null,
      (error: unknown) => error,
    )
    const unwritten = await company.finish()
    return { ...outcomeOf(runId, end, interrupts, directory), recordError: recordError ?? null, unwritten }
  } finally {
    await teardown.run()
  }
}

async function watch(
  { invocation: { settings }, display, interrupts, askToDetach, pilot }: RunRequest,
  spec: RunSpec,
  tests: Bundle,
  runId: string,
  connection: BrokerConnection,
  place: Place,
  secrets: Secrets,
  company: RunCompany,
  record: RunRecord | null,
): Promise<WatchEnd> {
  const conducting = spec.conducted ? await import('./conduct.ts') : null
  let conduct: RunConduct | null = null
  return watchRun({
    connection,
    runId,
    redial: () => BrokerConnection.open(place.dialer),
    patienceMs: settings.maxOrphanTime,
    display,
    debug: settings.debug,
    interrupts,
    secrets,
    askToDetach: settings.broker === null || spec.conducted ? null : askToDetach,
    stopReason: null,
    onMessage: (message) => {
      record?.take(message)
      company.take(message)
      conduct?.take(message.event)
      pilot?.take(message.event)
    },
    prepare: (follower) => {
      place.onExit((exit) => follower.processExited(exit))
      pilot?.begin(follower, runId)
      company.begin(runId, follower)
      if (conducting === null) return null
      const code = import('@loads-runner/engine').then(({ Conductor }) =>
        Conductor.open(tests.bytes, spec, runId, {
          note: (text, tags) => {
            const annotation = { type: 'note' as const, text: secrets.hide(text), tags: secrets.hideIn(tags) }
            follower.connection.request('annotate', { runId, annotation }).catch((error: Error) => {
              display.notice(`warning: a note was not taken: ${error.message}`)
            })
          },
          log: (level, text) => display.notice(`${level}: ${secrets.hide(text)}`),
        }),
      )
      conduct = new conducting.RunConduct(
        code,
        runId,
        () => follower.connection,
        (text) => display.notice(secrets.hide(text)),
        (text) => secrets.hide(text),
      )
      return conduct
    },
  })
}

async function submit(
  connection: BrokerConnection,
  spec: RunSpec,
  tests: Bundle,
): Promise<{ runId: string }> {
  await connection.putBundle(tests.hash, tests.bytes)
  return connection.request('submit', { spec })
}

async function bundle({
  invocation: { settings, tests },
  world: { cwd, env },
  onInputs,
}: RunRequest): Promise<Bundle> {
  const { bundleTests } = await import('@loads-runner/engine')
  const made = await bundleTests({
    testDir: resolve(cwd, settings.testDir),
    names: [...tests],
    includeFiles: [...settings.includeFile],
    external: [...settings.external],
    env: { ...variablesOf(settings, env), ...secretsOf(settings, env) },
  })
  onInputs?.(made.inputs)
  return made
}

/** On a standing broker, on processes of our own, or in this process. */
async function openPlace(
  { invocation: { settings }, world, display }: RunRequest,
  directory: RunDirectory | null,
): Promise<Place> {
  const log = (level: string, text: string) => {
    if (settings.debug || level === 'error') display.notice(`${level}: ${text}`)
  }
  if (settings.broker !== null)
    return (await import('./standing-broker.ts')).openStandingBroker(settings.broker)
  if (settings.agents === null) {
    const inProcess = settings.workers === 0 || world.debugged()
    return (await import('./local-place.ts')).openLocalPlace({ inProcess, log })
  }
  const { openPrivateCluster } = await import('./private-cluster.ts')
  const logs = {
    brokerLog: directory?.brokerLog ?? null,
    logOf: (id: string) => directory?.logOf(id) ?? null,
  }
  return openPrivateCluster({ agents: settings.agents, debug: settings.debug, ...logs, log })
}

/** @throws {UsageError} when a file cannot be read */
export async function readPem(settings: Invocation['settings'], cwd: string) {
  const problems: string[] = []
  const read = async (option: 'ca' | 'cert' | 'key') => {
    const file = settings[option]
    if (file === null) return null
    return readFile(resolve(cwd, file), 'utf8').catch((error: Error) => {
      problems.push(`--${option}: cannot read ${file}: ${error.message}`)
      return null
    })
  }
  const [ca, cert, key] = await Promise.all([read('ca'), read('cert'), read('key')])
  if (problems.length > 0) throw new UsageError(problems)
  return { ca, cert, key }
}

/** Load from this host needs room for its connections; what other hosts have, their agents know. */
async function sayLimits(
  { invocation: { settings }, world, display }: RunRequest,
  { profile, agents }: RunSpec,
): Promise<void> {
  if (settings.broker !== null) return
  const users = certainUsersAtOnce(profile)
  const need = { users, usersPerProcess: Math.ceil(users / agents) }
  const { errors, warnings } = checkLimits(need, await world.limits())
  if (errors.length > 0) throw new UsageError(errors)
  for (const warning of warnings) display.notice(`warning: ${warning}`)
}

function outcomeOf(
  runId: string,
  end: WatchEnd,
  interrupts: Interrupts,
  directory: RunDirectory | null,
): Omit<RunOutcome, 'recordError' | 'unwritten'> {
  const { summary } = end.view
  const signal = interrupts.first
  const fallback = signal === null || end.how === 'detached' ? 0 : exitCodeOfSignal(signal)
  return {
    runId,
    summary,
    exitCode: summary?.exitCode ?? fallback,
    detached: end.how === 'detached',
    directory: directory?.path ?? null,
  }
}
