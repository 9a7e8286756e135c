import {
  ChaosError,
  ControlServer,
  EventHub,
  EventLog,
  FaultSchedule,
  loggedProxy,
  PartitionMatrix,
  partitionRoutes,
  Proxies,
  scheduleRoutes,
  type LoggedProxy,
  type NamedProxyOptions,
  type Proxy,
  type ProxyConfig,
} from '@loads-runner/chaos'
import type { Log } from '../place.ts'
import { Teardown } from '../teardown.ts'
import { version } from '../version.ts'
import { BackendTroubles } from './backend-troubles.ts'

/** What one process of proxies serves. */
export interface ProxyServerOptions {
  proxies: readonly NamedProxyOptions[]
  partitions: ProxyConfig['partitions']
  schedule: ProxyConfig['schedule']
  /** now: its time begins when all listen. over HTTP: the control API starts it and tells it phases. */
  scheduleBegins: 'now' | 'over HTTP'
  /** Null: no control API. */
  control: { host: string; port: number; token: string | null } | null
  /** For proxies without one of their own; null: each has any. */
  seed: number | null
  /** File for the log of events; null: none. */
  events: string | null
  log: Log
  /** Told as soon as it listens. */
  onListening?: (what: Listening) => void
}

export type Listening =
  | { what: 'proxy'; proxy: Proxy; options: NamedProxyOptions }
  | { what: 'way'; from: string; to: string; address: string; backend: string }
  | { what: 'control'; url: string; token: boolean }

/** Proxies with all that belongs to them: ways between endpoints, schedule, log of events, control API. */
export class ProxyServer {
  readonly events = new EventHub()
  readonly proxies: Proxies
  readonly #options: ProxyServerOptions
  readonly #log: Log
  readonly #tell: (what: Listening) => void
  readonly #teardown: Teardown
  #eventLog: EventLog | null = null

  /**
   * Everything listens when it resolves.
   *
   * @throws {ChaosError} after all was closed again
   */
  static async start(options: ProxyServerOptions): Promise<ProxyServer> {
    const server = new ProxyServer(options)
    try {
      await server.#start()
      return server
    } catch (error) {
      await server.close()
      throw error
    }
  }

  private constructor(options: ProxyServerOptions) {
    const { seed, log } = options
    this.#options = options
    this.#log = log
    this.#tell = options.onListening ?? (() => {})
    this.#teardown = new Teardown((name, error) => log('warning', `${name} did not stop: ${String(error)}`))
    this.proxies = new Proxies({ ...(seed === null ? {} : { seed }), events: this.events })
  }

  /** Connections are closed, what waits for the disk is written. Twice is harmless. */
  close(): Promise<void> {
    return this.#teardown.run()
  }

  async #start(): Promise<void> {
    // Proxies that close are events, too.
    this.#teardown.add('the log of events', async () => this.#eventLog?.close())
    this.#teardown.add('the proxies', () => this.proxies.close())
    const created: { proxy: Proxy; options: NamedProxyOptions }[] = []
    for (const options of this.#options.proxies) {
      const making = this.proxies.create({ ...options, enabled: false })
      created.push({ proxy: await saying(options.name, making), options })
    }
    // The header of the log has the seeds, and the first event may come as soon as somebody can connect.
    await this.#openLog(created.map(({ proxy, options }) => loggedProxy(proxy, options.tls !== undefined)))
    for (const { proxy, options } of created) {
      if (options.enabled !== false) await saying(proxy.name, proxy.enable())
      this.#tell({ what: 'proxy', proxy, options })
    }
    this.#watchBackends()
    const matrix = await this.#openWays()
    const schedule = this.#planSchedule(matrix)
    await this.#openControl(schedule, matrix)
    if (this.#options.scheduleBegins === 'now') schedule?.start()
  }

  async #openLog(proxies: readonly LoggedProxy[]): Promise<void> {
    const { events: file } = this.#options
    if (file === null) return
    this.#eventLog = await EventLog.open({
      file,
      events: this.events,
      version,
      proxies,
      onTrouble: (text) => this.#log('warning', text),
    })
  }

  #watchBackends(): void {
    const troubles = new BackendTroubles(
      (name) => this.proxies.all().find((each) => each.name === name)?.backend ?? '',
    )
    const stopWatching = this.events.listen((event) => {
      const news = troubles.take(event)
      if (news !== null) this.#log(news.level, news.text)
    })
    this.#teardown.add('the watch over backends', async () => stopWatching())
  }

  async #openWays(): Promise<PartitionMatrix | null> {
    const { partitions, seed } = this.#options
    if (partitions === null) return null
    const { endpoints, ways } = partitions
    const matrix = new PartitionMatrix({
      endpoints,
      events: this.events,
      ...(seed === null ? {} : { seed }),
    })
    this.#teardown.add('the partitions', () => matrix.close())
    for (const { from, to, listen } of ways) {
      const address = await saying(`${from} to ${to}`, matrix.address(from, to, listen))
      this.#tell({ what: 'way', from, to, address, backend: endpoints[to]! })
    }
    return matrix
  }

  #planSchedule(matrix: PartitionMatrix | null): FaultSchedule | null {
    const { schedule: steps, scheduleBegins } = this.#options
    if (steps === null) return null
    const ofRun = steps.filter(({ trigger }) => trigger.when === 'phase').length
    if (scheduleBegins === 'now' && ofRun > 0)
      this.#log(
        'warning',
        `${ofRun === 1 ? '1 step of the schedule goes' : `${ofRun} steps of the schedule go`} by phases of a run: here is none; run it with loads-runner --proxies FILE`,
      )
    const schedule = new FaultSchedule(steps, {
      target: (name) => this.proxies.get(name),
      ...(matrix === null ? {} : { partitions: matrix }),
      onStep: ({ name, state, detail }) =>
        this.#log(
          state === 'failed' ? 'warning' : 'info',
          `schedule: ${name} ${state}${detail === null ? '' : `: ${detail}`}`,
        ),
    })
    this.#teardown.add('the schedule', async () => void (await schedule.stop()))
    return schedule
  }

  async #openControl(schedule: FaultSchedule | null, matrix: PartitionMatrix | null): Promise<void> {
    if (this.#options.control === null) return
    const { host, port, token } = this.#options.control
    const isDriven = schedule !== null && this.#options.scheduleBegins === 'over HTTP'
    const control = await ControlServer.start({
      proxies: this.proxies,
      host,
      port,
      version,
      ...(token === null ? {} : { token }),
      modules: [
        ...(isDriven ? [scheduleRoutes(schedule)] : []),
        ...(matrix === null ? [] : [partitionRoutes(matrix)]),
      ],
    })
    this.#teardown.add('the control API', () => control.close())
    this.#tell({ what: 'control', url: control.url, token: token !== null })
  }
}

/** Which of them it was, and what to do: the text alone is made for clients of the control API. */
async function saying<T>(name: string, step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (error) {
    if (!(error instanceof ChaosError)) throw error
    const cause = error.cause as NodeJS.ErrnoException | undefined
    const advice = error.code === 'CHAOS_BIND' ? (adviceOf[cause?.code ?? ''] ?? '') : ''
    throw new ChaosError(error.code, `proxy ${name}: ${error.message}${advice}`, { cause: error })
  }
}

const adviceOf: Readonly<Record<string, string>> = {
  EADDRINUSE: '; end what listens there, or take another port (0 takes any)',
  EACCES: '; ports below 1024 are for those who may: take a higher one (0 takes any)',
  EADDRNOTAVAIL: '; no interface of this machine has that address: take 127.0.0.1 or 0.0.0.0',
  ENOTFOUND: '; take an address of this machine, such as 127.0.0.1 or 0.0.0.0',
  EAI_AGAIN: '; take an address of this machine, such as 127.0.0.1 or 0.0.0.0',
}
