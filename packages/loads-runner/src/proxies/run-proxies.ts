import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ProxyConfig } from '@loads-runner/chaos'
import type { ProcessService } from '@loads-runner/cluster'
import type { ControlClient } from '@loads-runner/chaos/client'
import { foldedPhase } from '@loads-runner/chaos/client'
import type { Annotation, RunEvent, RunSpec } from '@loads-runner/protocol'
import { UsageError } from '../errors.ts'
import { FaultMarks } from './fault-marks.ts'
import { LoadPhases } from './load-phases.ts'
import { isControlAddress, proxiesVariable, tokenVariable } from './proxy-environment.ts'
import type { ProxyOrder } from './proxy-process.ts'
import { readWarning } from './proxy-warning.ts'

export interface RunProxiesOptions {
  cwd: string
  env: Readonly<Record<string, string | undefined>>
  /** Users may be on other machines. */
  isFarAway: boolean
  log(level: string, text: string): void
}

/** How long a process of proxies may take to listen. */
const startMs = 20_000
/** Milliseconds between two tellings of how much was injected. */
const tellMs = 1000
/** Between the end of the stream of events and that of the process that sent them. */
const unseenMs = 1000
/** How long is waited for the events of what was injected. */
const hearOutMs = 2000

/** Variables that users of the run see. */
export interface ProxyVariables {
  env: Record<string, string>
  secrets: Record<string, string>
}

/**
 * The fault-injecting proxies of a run: those of a file, in a process of their own so that no console slows them down, or those
 * of a `loads-proxy` that is there. Drives the file's schedule, and puts what is done to whom into the run's events.
 */
export class RunProxies {
  /** Null: the proxies are those of a control server. */
  readonly #file: { config: ProxyConfig; directory: string } | null
  readonly #url: string | null
  readonly #options: RunProxiesOptions
  readonly #listening = new AbortController()
  #token: string | null
  #client: ControlClient | null = null
  #control = ''
  #addresses: Record<string, string> = {}
  /** What is said to the schedule, in order. */
  #saying: Promise<void> = Promise.resolve()
  #marks: FaultMarks | null = null
  #telling: NodeJS.Timeout | null = null
  #toldAt = 0
  /** Faults that their proxies had injected before the run. */
  #injectedBefore = 0
  #phases: LoadPhases | null = null
  #begun = false
  #reading: Promise<void> = Promise.resolve()
  #service: ProcessService | null = null
  #isOver = false
  /** Why there are none any more. */
  #lost: string | null = null
  #onLost: () => void = () => {}

  /**
   * Reads `--proxies`: a file, or the address of a control server.
   *
   * @throws {UsageError} with all that is wrong in the file
   */
  static async plan(text: string, options: RunProxiesOptions): Promise<RunProxies> {
    if (isControlAddress(text)) return new RunProxies(null, text, options)
    const { ChaosError, readConfigFile } = await import('@loads-runner/chaos')
    try {
      const config = await readConfigFile(text, { directory: options.cwd, environment: options.env })
      for (const warning of config.warnings) options.log('warning', warning)
      return new RunProxies({ config, directory: dirname(resolve(options.cwd, text)) }, null, options)
    } catch (error) {
      if (error instanceof ChaosError)
        throw new UsageError(error.message.split('\n').map((line) => `--proxies: ${line}`))
      throw error
    }
  }

  private constructor(
    file: { config: ProxyConfig; directory: string } | null,
    url: string | null,
    options: RunProxiesOptions,
  ) {
    this.#file = file
    this.#url = url
    this.#options = options
    this.#token = url === null ? randomBytes(24).toString('base64url') : (options.env[tokenVariable] ?? null)
  }

  /**
   * All proxies listen when it resolves.
   *
   * @param directory of the run, for the log of what was injected; null without one
   * @throws {UsageError} the control server is not there, or not ours
   * @throws {ServiceStartError} their process does not start, with the reason
   */
  async open(directory: string | null): Promise<void> {
    const { ControlClient } = await import('@loads-runner/chaos/client')
    this.#control = this.#url ?? (await this.#start(directory))
    this.#client = new ControlClient(this.#control, this.#token === null ? {} : { token: this.#token })
    try {
      const here =
        this.#url === null && this.#options.isFarAway ? hostname() : new URL(this.#control).hostname
      for (const { name, listen } of await this.#client.list()) {
        this.#addresses[name] = reachable(listen, here)
        if (this.#options.isFarAway && isLoopback(listen))
          this.#options.log(
            'warning',
            `--proxies: ${name} listens on ${listen}, which agents on other machines cannot reach: let it listen on 0.0.0.0`,
          )
      }
    } catch (error) {
      throw new UsageError(`--proxies: ${this.#control}: ${(error as Error).message}`)
    }
  }

  /** @param shared several users go through the proxies */
  variables(shared: boolean): ProxyVariables {
    const known = { control: this.#control, addresses: this.#addresses, shared }
    return {
      env: { [proxiesVariable]: JSON.stringify(known) },
      secrets: this.#token === null ? {} : { [tokenVariable]: this.#token },
    }
  }

  /**
   * The run is there: what happens at the proxies goes into its events.
   *
   * @param onLost told when their process has ended: what users measure from then on is nothing
   */
  async begin(publish: (annotation: Annotation) => void, onLost: () => void): Promise<void> {
    this.#onLost = onLost
    if (this.#lost !== null) return onLost()
    const marks = (this.#marks = new FaultMarks(publish))
    const client = this.#client!
    if (this.#file === null) this.#injectedBefore = await injectedAt(client)
    this.#reading = this.#read(client, marks)
    for (const { name, faults } of await client.list()) for (const fault of faults) marks.begin(name, fault)
    // A run may be over by then.
    if (this.#listening.signal.aborted) return
    this.#toldAt = performance.now()
    this.#telling = setInterval(() => this.#tell(), tellMs)
  }

  /** The schedule begins with the load and ends with it. */
  take(event: RunEvent): void {
    if (event.type !== 'state' && event.type !== 'snapshot') return
    if (event.type === 'snapshot') this.#phases ??= this.#checkedPhases(event.spec)
    if (event.state === 'running' && !this.#begun) {
      this.#begun = true
      this.#say((client) => client.startSchedule())
    }
    if (event.state === 'running')
      for (const name of this.#phases?.begin(event.stage) ?? [])
        this.#say((client) => client.schedulePhase(name))
    if (event.state === 'draining') this.#say((client) => client.stopSchedule())
  }

  /** @returns injected faults by proxy and kind */
  async close(): Promise<ReadonlyMap<string, number>> {
    await this.#saying
    await this.#hearOut()
    this.#listening.abort()
    await this.#reading
    if (this.#telling !== null) clearInterval(this.#telling)
    if (this.#marks === null) return new Map()
    this.#tell()
    return this.#marks.totals
  }

  /** Ends their process, at any time. */
  async stop(): Promise<void> {
    this.#isOver = true
    await this.#service?.stop()
  }

  async #start(directory: string | null): Promise<string> {
    const { ProcessService } = await import('@loads-runner/cluster')
    const order: ProxyOrder = {
      ...this.#file!,
      token: this.#token!,
      events: directory === null ? null : join(directory, 'faults.ndjson'),
    }
    const service = new ProcessService({
      name: 'the proxies',
      command: process.execPath,
      args: [fileURLToPath(new URL('./proxy-process.js', import.meta.url))],
      input: JSON.stringify(order),
      readLine: true,
      startTimeoutMs: startMs,
      onErrorLine: (line) => {
        const warning = readWarning(line)
        if (warning !== null) this.#options.log('warning', warning)
      },
    })
    if (this.#isOver) throw new UsageError('--proxies: the run was over before they listened')
    this.#service = service
    await service.start()
    const answer = JSON.parse(await service.announced(startMs)) as { control: string } | { error: string }
    if ('error' in answer) throw new UsageError(answer.error.split('\n').map((line) => `--proxies: ${line}`))
    service.onExit(({ code, signal }) => this.#lose(service, signal ?? `exit code ${code}`))
    return answer.control
  }

  #lose(service: ProcessService, how: string): void {
    if (this.#isOver) return
    const tail = service.logTail()
    this.#lost = `the process of the proxies has ended (${how})${tail === '' ? '' : `\n${tail}`}`
    this.#options.log('error', this.#lost)
    this.#onLost()
  }

  /** Of what was injected last nothing may have been heard yet. */
  async #hearOut(): Promise<void> {
    const marks = this.#marks
    if (marks === null || this.#lost !== null) return
    let isOver = false
    void this.#reading.then(() => (isOver = true))
    const injected = (await injectedAt(this.#client!)) - this.#injectedBefore
    const until = performance.now() + hearOutMs
    while (marks.count < injected && !isOver && performance.now() < until) await setTimeout(10)
  }

  async #read(client: ControlClient, marks: FaultMarks): Promise<void> {
    // What was before the run at proxies that stay is nothing of the run.
    const past = this.#file !== null
    try {
      for await (const event of client.events({ past, signal: this.#listening.signal })) marks.take(event)
      await this.#sayUnseen('their control server has closed the stream of events')
    } catch (error) {
      await this.#sayUnseen((error as Error).message)
    }
  }

  async #sayUnseen(why: string): Promise<void> {
    if (this.#listening.signal.aborted) return
    // Of a process that has ended its end is said, and that comes a little later.
    if (this.#service !== null)
      await Promise.race([this.#service.wait(), setTimeout(unseenMs, null, { ref: false })])
    if (this.#lost !== null) return
    this.#options.log('warning', `what happens at the proxies is not seen any more: ${why}`)
  }

  #say(what: (client: ControlClient) => Promise<unknown>): void {
    if (this.#lost !== null) return
    // Those of a control server that is not ours may have no schedule.
    if ((this.#file?.config.schedule ?? null) === null) return
    this.#saying = this.#saying
      .then(() => what(this.#client!))
      .then(
        () => {},
        (error: Error) => this.#options.log('warning', `schedule: ${error.message}`),
      )
  }

  #checkedPhases({ profile }: RunSpec): LoadPhases {
    const phases = new LoadPhases(profile)
    const known = new Set(phases.all().map(foldedPhase))
    for (const { name, trigger } of this.#file?.config.schedule ?? [])
      if (trigger.when === 'phase' && !known.has(trigger.phase))
        this.#options.log(
          'warning',
          `schedule: ${name} waits for ${trigger.phase}, which this load never comes to; it has ${phases.all().join(', ')}`,
        )
    return phases
  }

  #tell(): void {
    const now = performance.now()
    this.#marks!.tell(Math.max(0.001, (now - this.#toldAt) / 1000))
    this.#toldAt = now
  }
}

/** Faults that all proxies have injected since they are there; 0: they do not tell. */
async function injectedAt(client: ControlClient): Promise<number> {
  try {
    const proxies = await client.list()
    const counters = await Promise.all(proxies.map(({ name }) => client.proxy(name).counters()))
    return counters.flatMap(({ faults }) => Object.values(faults)).reduce((sum, count) => sum + count, 0)
  } catch {
    return 0
  }
}

function isLoopback(listen: string): boolean {
  return /^(127\.|\[::1\]|localhost:)/.test(listen)
}

/** @param here where a proxy is reached that listens on all addresses */
function reachable(listen: string, here: string): string {
  const colon = listen.lastIndexOf(':')
  const host = listen.slice(0, colon)
  const isAny = host === '' || host === '0.0.0.0' || host === '[::]' || host === '::'
  return `${isAny ? here : host}${listen.slice(colon)}`
}
