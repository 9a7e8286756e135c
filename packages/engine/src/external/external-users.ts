import { existsSync } from 'node:fs'
import type { LoadUser, UserSurroundings } from '../load-user.ts'
import { ExternalUser, type RunnerResources } from './external-user.ts'
import { StatsdListener } from './statsd-listener.ts'

/** What the external users of one load thread share: the statsd listener and how to start a process. */
export class ExternalUsers implements RunnerResources {
  readonly #around: UserSurroundings
  readonly #statsd: StatsdListener
  readonly #port: Promise<number>

  constructor(around: UserSurroundings) {
    this.#around = around
    this.#statsd = new StatsdListener(around.recorder)
    this.#port = this.#statsd.listen()
    this.#port.catch((error: unknown) => around.log('error', `no statsd listener: ${String(error)}`))
  }

  user(): LoadUser {
    return new ExternalUser(this.#around, this)
  }

  statsdPort(): Promise<number> {
    return this.#port
  }

  /** The command in a shell of its own; on Linux it cannot outlive the load thread. */
  commandLine(command: string): { file: string; args: string[] } {
    const shell = ['sh', '-c', command]
    return guard === null
      ? { file: shell[0]!, args: shell.slice(1) }
      : { file: guard, args: ['--pdeathsig', 'KILL', '--', ...shell] }
  }

  async close(): Promise<void> {
    await this.#statsd.close()
    if (this.#statsd.malformed > 0) {
      this.#around.log(
        'warning',
        `${this.#statsd.malformed} lines sent to STATSD_HOST were not counters, gauges or timings`,
      )
    }
  }
}

const guard =
  process.platform === 'linux'
    ? (['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path)) ?? null)
    : null
