import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ChaosEvent, FaultSchedule, ProxyConfig, StepEvent } from '@loads-runner/chaos'
import type { ControlClient } from '@loads-runner/chaos/client'
import type { Annotation, RunEvent } from '@loads-runner/protocol'
import { UsageError } from '../errors.ts'
import type { Teardown } from '../teardown.ts'
import { FaultMarks } from './fault-marks.ts'
import { proxiesVariable, tokenVariable } from './proxy-environment.ts'
import type { ProxyOrder } from './proxy-process.ts'

export interface RunProxiesOptions {
  cwd: string
  env: Readonly<Record<string, string | undefined>>
  log(level: string, text: string): void
}

/** How long a process of proxies may take to listen. */
const startMs = 20_000
/** Milliseconds between two tellings of how much was injected. */
const tellMs = 1000

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
  readonly #config: ProxyConfig | null
  readonly #url: string | null
  readonly #options: RunProxiesOptions
  readonly #listening = new AbortController()
  #token: string | null
  #client: ControlClient | null = null
  #control = ''
  #addresses: Record<string, string> = {}
  #schedule: FaultSchedule | null = null
  #marks: FaultMarks | null = null
  #telling: NodeJS.Timeout | null = null
  #toldAt = 0
  #begun = false
  #reading: Promise<void> = Promise.resolve()

  /**
   * Reads `--proxies`: a file, or the address of a control server.
   *
   * @throws {UsageError} with all that is wrong in the file
   */
  static async plan(text: string, options: RunProxiesOptions): Promise<RunProxies> {
    if (/^https?:\/\//.test(text)) return new RunProxies(null, text, options)
    const { ChaosError, readConfig } = await import('@loads-runner/chaos')
    let source: string
    try {
      source = await readFile(resolve(options.cwd, text), 'utf8')
    } catch (error) {
      throw new UsageError(`--proxies: cannot read ${text}: ${(error as Error).message}`)
    }
    try {
      const config = readConfig(source, text, options.env)
      for (const warning of config.warnings) options.log('warning', warning)
      return new RunProxies(config, null, options)
    } catch (error) {
      if (error instanceof ChaosError) throw new UsageError(`--proxies: ${error.message}`)
      throw error
    }
  }

  private constructor(config: ProxyConfig | null, url: string | null, options: RunProxiesOptions) {
    this.#config = config
    this.#url = url
    this.#options = options
    this.#token = url === null ? randomBytes(24).toString('base64url') : (options.env[tokenVariable] ?? null)
  }

  /**
   * All proxies listen when it resolves.
   *
   * @param directory of the run, for the log of what was injected; null without one
   * @throws {UsageError} the control server is not there, or not ours
   * @throws {ServiceStartError} a port is in use, with the reason
   */
  async open(directory: string | null, teardown: Teardown): Promise<void> {
    const { ControlClient } = await import('@loads-runner/chaos/client')
    this.#control = this.#url ?? (await this.#start(directory, teardown))
    this.#client = new ControlClient(this.#control, this.#token === null ? {} : { token: this.#token })
    try {
      const { hostname } = new URL(this.#control)
      for (const { name, listen } of await this.#client.list())
        this.#addresses[name] = reachable(listen, hostname)
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

  /** The run is there: what happens at the proxies goes into its events. */
  async begin(publish: (annotation: Annotation) => void): Promise<void> {
    const marks = (this.#marks = new FaultMarks(publish))
    const client = this.#client!
    this.#reading = this.#read(client, marks)
    for (const { name, toxics } of await client.list())
      for (const { name: rule, type, stream, toxicity, attributes } of toxics)
        marks.begin(name, { name: rule, type, stream, toxicity, attributes })
    this.#toldAt = performance.now()
    this.#telling = setInterval(() => this.#tell(), tellMs)
  }

  /** The schedule begins with the load and ends with it. */
  take(event: RunEvent): void {
    if (event.type !== 'state' && event.type !== 'snapshot') return
    if (event.state === 'running' && !this.#begun) {
      this.#begun = true
      void this.#beginSchedule()
    }
    if (event.state === 'draining') void this.#schedule?.stop()
  }

  /** @returns injected faults by proxy and kind */
  async close(): Promise<ReadonlyMap<string, number>> {
    await this.#schedule?.stop()
    this.#listening.abort()
    await this.#reading
    if (this.#telling !== null) clearInterval(this.#telling)
    if (this.#marks === null) return new Map()
    this.#tell()
    return this.#marks.totals
  }

  async #start(directory: string | null, teardown: Teardown): Promise<string> {
    const { ProcessService } = await import('@loads-runner/cluster')
    const order: ProxyOrder = {
      config: this.#config!,
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
    })
    teardown.add('the proxies', () => service.stop())
    await service.start()
    const answer = JSON.parse(await service.announced(startMs)) as { control: string } | { error: string }
    if ('error' in answer) throw new UsageError(`--proxies: ${answer.error}`)
    return answer.control
  }

  async #read(client: ControlClient, marks: FaultMarks): Promise<void> {
    try {
      for await (const event of client.events({ signal: this.#listening.signal }))
        marks.take(event as ChaosEvent)
    } catch (error) {
      if (!this.#listening.signal.aborted)
        this.#options.log(
          'warning',
          `what happens at the proxies is not seen any more: ${(error as Error).message}`,
        )
    }
  }

  async #beginSchedule(): Promise<void> {
    const steps = this.#config?.schedule ?? null
    if (steps === null) return
    const { FaultSchedule } = await import('@loads-runner/chaos')
    const client = this.#client!
    this.#schedule = new FaultSchedule(steps, {
      target: (name) => client.proxy(name),
      onStep: (step: StepEvent) => {
        if (step.state === 'failed') this.#options.log('warning', `schedule: ${step.name}: ${step.detail}`)
      },
    })
    this.#schedule.start()
  }

  #tell(): void {
    const now = performance.now()
    this.#marks!.tell(Math.max(0.001, (now - this.#toldAt) / 1000))
    this.#toldAt = now
  }
}

/** A proxy that listens on all addresses is reached where its control server is. */
function reachable(listen: string, controlHost: string): string {
  const colon = listen.lastIndexOf(':')
  const host = listen.slice(0, colon)
  const isAny = host === '' || host === '0.0.0.0' || host === '[::]' || host === '::'
  return `${isAny ? controlHost : host}${listen.slice(colon)}`
}
