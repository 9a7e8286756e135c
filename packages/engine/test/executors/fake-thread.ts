import { Recorder } from '@loads-runner/metrics'
import { runStages, type LoadModel, type Scenario, type UnitRange } from '@loads-runner/testcase/load'
import type { Executor } from '../../src/executors/executor.ts'
import { makeExecutor } from '../../src/executors/make-executor.ts'
import type { ExecutionEnd, LoadUser, UserSurroundings } from '../../src/load-user.ts'
import { viewOf } from '../../src/stage-view.ts'
import { ThreadState } from '../../src/thread-state.ts'
import { profileOf } from '../helpers/run-session.ts'

export interface Made {
  user: number
  iteration: number
  ordinal: number
  intendedAt: number | null
  /** performance.now() */
  beganAt: number
}

export interface FakeOptions {
  model: LoadModel
  scenario?: Partial<Scenario>
  /** How long executions take, in milliseconds; Infinity: until they are cut. 0: they do not wait at all. */
  lastsMs?: number
  end?: (made: Made) => ExecutionEnd
}

/** A load thread without tests: one executor, users that do nothing for a while, and what was made of it. */
export class FakeThread {
  readonly made: Made[] = []
  readonly users: FakeUser[] = []
  readonly state = new ThreadState()
  readonly executor: Executor
  readonly begunAt = performance.now()
  readonly view
  running = 0
  mostRunning = 0
  idles = 0
  draining = false
  readonly #idle: (() => void)[] = []
  readonly #began: (() => void)[] = []
  readonly #beat: NodeJS.Timeout

  constructor({ model, scenario, lastsMs = 1, end = () => 'finished' }: FakeOptions) {
    const profile = profileOf([{ stages: [model], ...scenario }], [])
    const stages = runStages(profile)
    this.view = viewOf(stages, stages[0]!, [], {})
    const isDraining = () => this.draining
    const around: UserSurroundings = {
      setup: { spec: { seed: 7, precise: false, profile } } as UserSurroundings['setup'],
      recorder: new Recorder({ maxSeries: 10, define: () => {} }),
      state: this.state,
      feeds: { row: () => Promise.reject(new Error('no feeds here')) },
      runData: {},
      get draining() {
        return isDraining()
      },
      breathe: () => null,
      log: () => {},
      annotate: () => {},
    }
    this.executor = makeExecutor({
      view: this.view,
      around,
      makeUser: (number) => {
        const user = new FakeUser(number, this, lastsMs, end)
        this.users.push(user)
        return user
      },
      onIdle: () => {
        this.idles++
        for (const resolve of this.#idle.splice(0)) resolve()
      },
    })
    this.#beat = setInterval(() => this.executor.beat(performance.now()), 20)
    this.#beat.unref()
  }

  /** All units of the stage, or some. */
  start(range: UnitRange = { first: 0, count: this.view.run.units }): Uint32Array {
    const progress = new Uint32Array(range.count)
    this.executor.start(range, progress)
    return progress
  }

  drain(): void {
    this.draining = true
    this.executor.drain()
  }

  async idle(): Promise<void> {
    if (!this.executor.idle || this.idles === 0)
      await new Promise<void>((resolve) => this.#idle.push(resolve))
    clearInterval(this.#beat)
  }

  /** Resolves when so many executions have begun. */
  async began(count: number): Promise<void> {
    while (this.made.length < count) await new Promise<void>((resolve) => this.#began.push(resolve))
  }

  note(made: Made): void {
    this.made.push(made)
    for (const resolve of this.#began.splice(0)) resolve()
  }
}

export class FakeUser implements LoadUser {
  readonly user: number
  endedAt = 0
  ended = false
  timedOut = 0
  readonly #thread: FakeThread
  readonly #lastsMs: number
  readonly #end: (made: Made) => ExecutionEnd
  #cut: (() => void) | null = null

  constructor(user: number, thread: FakeThread, lastsMs: number, end: (made: Made) => ExecutionEnd) {
    this.user = user
    this.#thread = thread
    this.#lastsMs = lastsMs
    this.#end = end
  }

  async execute(iteration: number, ordinal: number, intendedAt: number | null): Promise<ExecutionEnd> {
    if (this.#cut !== null || this.ended)
      throw new Error(`user ${this.user} has more than one execution at a time`)
    const made = { user: this.user, iteration, ordinal, intendedAt, beganAt: performance.now() }
    const thread = this.#thread
    thread.state.add('started', 1)
    thread.running++
    thread.mostRunning = Math.max(thread.mostRunning, thread.running)
    thread.note(made)
    let end = this.#end(made)
    if (this.#lastsMs > 0) {
      const wasCut = await new Promise<boolean>((resolve) => {
        const timer = this.#lastsMs === Infinity ? undefined : setTimeout(() => resolve(false), this.#lastsMs)
        this.#cut = () => {
          clearTimeout(timer)
          resolve(true)
        }
      })
      if (wasCut) end = 'interrupted'
    }
    this.#cut = null
    thread.running--
    this.endedAt = performance.now()
    return end
  }

  async end(): Promise<void> {
    this.ended = true
  }

  cut(): void {
    this.#cut?.()
  }

  cancel(): void {
    this.#cut?.()
  }

  timeOutSince(): void {
    if (this.#cut !== null) this.timedOut++
  }
}
