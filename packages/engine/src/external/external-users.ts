import type { LoadUser, UserSurroundings } from '../load-user.ts'
import type { StageView } from '../stage-view.ts'
import { ExternalUser, leashDescriptor, type RunnerResources } from './external-user.ts'
import { StatsdListener } from './statsd-listener.ts'

/** What the external users of one load thread share: the statsd listener and how to start a process. */
export class ExternalUsers implements RunnerResources {
  readonly #around: UserSurroundings
  readonly #statsd: StatsdListener
  readonly #port: Promise<number>
  #short = 0

  constructor(around: UserSurroundings) {
    this.#around = around
    this.#statsd = new StatsdListener(around.recorder)
    this.#port = this.#statsd.listen()
    this.#port.catch((error: unknown) => around.log('error', `no statsd listener: ${String(error)}`))
  }

  user(view: StageView, user: number): LoadUser {
    return new ExternalUser(this.#around, this, view, user)
  }

  statsdPort(): Promise<number> {
    return this.#port
  }

  commandLine(command: string): { file: string; args: string[] } {
    return { file: 'sh', args: ['-c', guarded, 'sh', command] }
  }

  endedShort(): void {
    this.#short++
  }

  async close(): Promise<void> {
    await this.#statsd.close()
    if (this.#short > 0) {
      this.#around.log(
        'warning',
        `${this.#short} runners ended before they had made the executions of LOADS_ITERATIONS`,
      )
    }
    if (this.#statsd.malformed > 0) {
      this.#around.log(
        'warning',
        `${this.#statsd.malformed} lines sent to STATSD_HOST were not counters, gauges or timings`,
      )
    }
  }
}

/**
 * A watchdog in the process group of the command waits for the end of a pipe that only the load thread holds open. When
 * the thread is gone, however it went, it kills the group: the command and whatever that has started. SIGTERM goes to the
 * whole group, too; the shell outlives it, or the command would be taken for ended while it still cleans up.
 */
const guarded = [
  `(trap '' TERM INT HUP; exec 3>&- >/dev/null 2>&1; read -r _ <&${leashDescriptor}; kill -KILL 0) &`,
  `exec ${leashDescriptor}<&-`,
  'trap : TERM',
  'eval "$1"',
].join('\n')
