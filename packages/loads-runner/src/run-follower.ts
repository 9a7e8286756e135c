import { setTimeout as sleep } from 'node:timers/promises'
import type { BrokerConnection, EventMessage } from './broker-connection.ts'
import { RunnerError } from './errors.ts'

export interface FollowOptions {
  connection: BrokerConnection
  runId: string
  /** Makes a new connection when this one breaks; null when that is pointless. */
  redial: (() => Promise<BrokerConnection>) | null
  /** How long to try, in milliseconds. */
  patienceMs: number
  onMessage: (message: EventMessage) => void
  onTrouble: (text: string) => void
}

const firstRetryMs = 250
const longestRetryMs = 4000

/** Follows the events of a run to its end, over as many connections as that takes. */
export class RunFollower {
  /** Resolves with the last event. Rejects when the broker is out of reach for too long, or by {@link fail}. */
  readonly finished: Promise<void>
  readonly #options: FollowOptions
  #connection: BrokerConnection
  #resolve!: () => void
  #reject!: (error: unknown) => void
  #over = false

  constructor(options: FollowOptions) {
    this.#options = options
    this.#connection = options.connection
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever leaves early does not wait for it.
    this.finished.catch(() => {})
    this.#listen(options.connection)
  }

  /** The connection of the moment. */
  get connection(): BrokerConnection {
    return this.#connection
  }

  /** Gives up with this error. */
  fail(error: unknown): void {
    this.#over = true
    this.#reject(error)
  }

  async close(): Promise<void> {
    this.#over = true
    await this.#connection.close()
  }

  #listen(connection: BrokerConnection): void {
    connection.onEvent(this.#options.runId, (message) => this.#take(message))
    void connection.closed.then(async (closed) => {
      if (this.#over) return
      try {
        await this.#dialAgain(closed.message || closed.reason)
      } catch (error) {
        this.fail(error)
      }
    })
  }

  #take(message: EventMessage): void {
    if (this.#over) return
    try {
      this.#options.onMessage(message)
    } catch (error) {
      // Thrown into the channel it would be lost.
      this.fail(error)
      return
    }
    if (message.event.type !== 'finished') return
    this.#over = true
    this.#resolve()
  }

  async #dialAgain(why: string): Promise<void> {
    const { redial, patienceMs, runId, onTrouble } = this.#options
    const trouble = `the connection to the broker has ended (${why})`
    if (redial === null) throw new RunnerError('RUNNER_BROKER_LOST', trouble)
    const deadline = performance.now() + patienceMs
    for (
      let waitMs = firstRetryMs;
      performance.now() + waitMs < deadline;
      waitMs = Math.min(longestRetryMs, waitMs * 2)
    ) {
      await sleep(waitMs)
      // Where a broker of our own has ended, that is known by now.
      if (this.#over) return
      if (waitMs === firstRetryMs)
        onTrouble(`warning: ${trouble}; trying again for ${Math.round(patienceMs / 1000)} s`)
      if (!(await this.#joinAgain(redial))) continue
      onTrouble('connected to the broker again')
      return
    }
    throw new RunnerError(
      'RUNNER_BROKER_LOST',
      `${trouble} and it cannot be reached; if run ${runId} goes on there, watch it again with --attach ${runId}`,
    )
  }

  /**
   * @returns false when the broker is still out of reach
   * @throws {RunnerError} when it is back without the run
   */
  async #joinAgain(redial: () => Promise<BrokerConnection>): Promise<boolean> {
    const { runId } = this.#options
    const fresh = await redial().catch(() => null)
    if (fresh === null) return false
    try {
      await fresh.request('subscribe', { runId })
    } catch (error) {
      await fresh.close()
      const { code, message } = error as RunnerError
      if (code === 'RUNNER_BROKER_LOST') return false
      throw new RunnerError('RUNNER_BROKER_LOST', `the broker is back and has forgotten the run: ${message}`)
    }
    this.#connection = fresh
    this.#listen(fresh)
    return true
  }
}
