import { resolve } from 'node:path'
import type { Annotation } from '@loads-runner/protocol'
import type { OutputEnvironment, OutputHealth } from '@loads-runner/outputs'
import type { Secrets } from '@loads-runner/testcase/secrets'
import type { EventMessage } from './broker-connection.ts'
import type { Dashboard } from './dashboard/open-dashboard.ts'
import { UsageError } from './errors.ts'
import { planObservers } from './observers.ts'
import type { Observers } from './observers.ts'
import { planOutputs } from './outputs/planned-outputs.ts'
import type { PlannedOutputs } from './outputs/planned-outputs.ts'
import { RunOutputs } from './outputs/run-outputs.ts'
import type { Place } from './place.ts'
import type { ProxyVariables, RunProxies } from './proxies/run-proxies.ts'
import type { Invocation } from './read-settings.ts'
import type { RunDirectory } from './run-directory.ts'
import type { RunRequest } from './start-run.ts'
import type { Teardown } from './teardown.ts'
import type { WatchedRun } from './watch-run.ts'

/** What goes along with a run in this process while it is watched: outputs, a page, questions to the target. */
export class RunCompany {
  /** Outputs that the standing broker is asked to run, as written. */
  readonly brokerOutputs: readonly string[]
  readonly #request: RunRequest
  readonly #outputs: PlannedOutputs
  readonly #observers: Observers | null
  readonly #environment: OutputEnvironment
  readonly #proxies: RunProxies | null
  #proxiesOpening: Promise<void> = Promise.resolve()
  #opening: Promise<RunOutputs | null> = Promise.resolve(null)
  #writing: RunOutputs | null = null
  #page: Dashboard | null = null
  #ended: string | null = null

  /** @throws {UsageError} with what is wrong with outputs and observers, or with leaving them behind */
  static async plan(request: RunRequest): Promise<RunCompany> {
    const { settings } = request.invocation
    const environment = environmentOf(request)
    const [outputs, observers, proxies] = await Promise.all([
      planOutputs(settings, environment),
      planObservers(settings.observe, environment),
      planProxies(settings, environment),
    ])
    if (settings.detach) checkDetached(settings, outputs)
    return new RunCompany(request, outputs, observers, proxies, environment)
  }

  private constructor(
    request: RunRequest,
    outputs: PlannedOutputs,
    observers: Observers | null,
    proxies: RunProxies | null,
    environment: OutputEnvironment,
  ) {
    this.brokerOutputs = outputs.broker.map(({ text }) => text)
    this.#request = request
    this.#outputs = outputs
    this.#observers = observers
    this.#proxies = proxies
    this.#environment = environment
  }

  /** Loads what outputs need, while tests are bundled and processes start. */
  prepare(directory: RunDirectory | null, teardown: Teardown): void {
    if (this.#request.invocation.settings.detach) return
    if (this.#proxies !== null) {
      const proxies = this.#proxies
      teardown.add('the proxies', () => proxies.stop())
      this.#proxiesOpening = proxies.open(directory?.path ?? null)
      this.#proxiesOpening.catch(() => {})
    }
    this.#opening = RunOutputs.open(this.#outputs.here, directory?.path ?? null, this.#environment)
    this.#opening.catch(() => {})
  }

  /**
   * What users know of the proxies, which listen when it resolves; null without any.
   *
   * @throws {UsageError} they cannot be started or reached
   */
  async proxyVariables(): Promise<((shared: boolean) => ProxyVariables) | null> {
    await this.#proxiesOpening
    return this.#proxies === null ? null : (shared) => this.#proxies!.variables(shared)
  }

  /**
   * Everything is ready for a run. Before there is one: what fails here leaves none behind.
   *
   * @throws {DashboardError} DASHBOARD_PORT
   */
  async open({ dialer }: Place, secrets: Secrets, teardown: Teardown): Promise<void> {
    this.#writing = await this.#opening
    const { world, display, invocation } = this.#request
    const { dashboard, dashboardBind: bind, results } = invocation.settings
    if (!dashboard) return
    const { createDashboardToken, openDashboard } = await import('./dashboard/open-dashboard.ts')
    const token = createDashboardToken()
    const page = await openDashboard({
      dialer,
      secrets,
      bind,
      roots: [resolve(world.cwd, results)],
      token,
      hostNames: bind === null ? [] : [bind.host],
      onTrouble: (text) => display.notice(`warning: ${text}`),
    })
    this.#page = page
    teardown.add('the page', () => page.close())
    display.notice(`the run is shown at ${page.url}#token=${token}`)
  }

  /** The run is there: what the target says of itself is published into its events. */
  begin(runId: string, run: WatchedRun): void {
    const publish = (annotation: Annotation) => {
      // A broker that is out of reach for a while has other worries.
      run.connection.request('annotate', { runId, annotation }).catch(() => {})
    }
    this.#observers?.start((values) => publish({ type: 'observation', values }))
    const withoutProxies = () => {
      const stop = { runId, mode: 'cancel', reason: 'proxies' } as const
      run.connection.request('stop', stop).catch((error: Error) => {
        this.#environment.log('warning', `the run could not be stopped: ${error.message}`)
      })
    }
    this.#proxies?.begin(publish, withoutProxies).catch((error: Error) => {
      this.#environment.log('warning', `what happens at the proxies is not seen: ${error.message}`)
    })
  }

  take({ event, runId }: EventMessage): void {
    if (event.type === 'finished') this.#ended = runId
    this.#proxies?.take(event)
    this.#writing?.take(event)
  }

  /** @returns result files that could not be written */
  async finish(): Promise<OutputHealth[]> {
    await this.#observers?.stop()
    this.#sayFaults((await this.#proxies?.close()) ?? new Map())
    // Pages keep these figures when we are gone.
    if (this.#ended !== null) await this.#page?.toldEnd(this.#ended)
    return (await this.#writing?.finish()) ?? []
  }

  #sayFaults(totals: ReadonlyMap<string, number>): void {
    if (totals.size === 0) return
    const counts = [...totals].map(([what, count]) => `${what} ${count}`)
    this.#request.display.notice(`faults injected: ${counts.join('; ')}`)
  }
}

/** Nobody of us is there any more. */
function checkDetached(settings: Invocation['settings'], { here }: PlannedOutputs): void {
  const problems = here
    .filter(({ place }) => place === 'file' || place === 'module')
    .map(({ text }) => `--output ${text}: it is written by this process, which does not stay with --detach`)
  if (settings.proxies !== null)
    problems.push('--proxies are driven by this process, which does not stay with --detach')
  if (settings.observe.length > 0)
    problems.push('--observe asks from this process, which does not stay with --detach')
  if (settings.dashboard)
    problems.push(
      '--dashboard is served by this process, which does not stay with --detach: see loads-broker --http',
    )
  if (problems.length > 0) throw new UsageError(problems)
}

/** @throws {UsageError} with all that is wrong with `--proxies` */
export async function planProxies(
  { proxies, broker }: Pick<Invocation['settings'], 'proxies' | 'broker'>,
  environment: OutputEnvironment,
): Promise<RunProxies | null> {
  if (proxies === null) return null
  const options = { ...environment, isFarAway: broker !== null }
  return (await import('./proxies/run-proxies.ts')).RunProxies.plan(proxies, options)
}

function environmentOf({ world, display }: RunRequest): OutputEnvironment {
  const log = (level: string, text: string) => {
    if (level !== 'info') display.notice(`${level}: ${text}`)
  }
  return { cwd: world.cwd, env: world.env, log }
}
