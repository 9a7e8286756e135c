import type { ControlChange } from '@loads-runner/testcase/load'
import type { LoadUser } from '../load-user.ts'
import type { Executor, ExecutorOptions } from './executor.ts'

/** One execution of a former run, by one user, with nothing around it. */
export class Replayed implements Executor {
  readonly #options: ExecutorOptions
  readonly #user: number
  readonly #iteration: number
  #running: LoadUser | null = null

  /** @param iteration in numbered models the ordinal */
  constructor(options: ExecutorOptions, user: number, iteration: number) {
    this.#options = options
    this.#user = user
    this.#iteration = iteration
  }

  start(_range: unknown, progress: Uint32Array): void {
    void this.#run(progress)
  }

  join(_units: unknown, progress: Uint32Array): void {
    void this.#run(progress)
  }

  get idle(): boolean {
    return this.#running === null
  }

  drain(): void {}

  cancel(): void {
    this.#running?.cancel()
  }

  timeOutSince(begunBefore: number): void {
    this.#running?.timeOutSince(begunBefore)
  }

  beat(): void {}

  control(_changes: readonly ControlChange[]): void {}

  async #run(progress: Uint32Array): Promise<void> {
    if (progress.length > 0) await this.#replay(progress)
    // Later, as where something ran: who starts it must never hear of the end meanwhile.
    queueMicrotask(() => this.#options.onIdle())
  }

  async #replay(progress: Uint32Array): Promise<void> {
    const { around, view, makeUser } = this.#options
    const { run, firstOrdinal, numbered } = view
    const ordinal = numbered
      ? this.#iteration
      : firstOrdinal + this.#iteration * run.units + this.#user - run.firstUnit
    around.state.add('activeUsers', 1)
    this.#running = makeUser(this.#user)
    const end = await this.#running.execute(this.#iteration, ordinal, null)
    if (end !== 'interrupted') progress[0] = 1
    await this.#running.end()
    around.state.add('activeUsers', -1)
    this.#running = null
  }
}
