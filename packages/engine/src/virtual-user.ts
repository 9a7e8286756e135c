import {
  attachUser,
  createRandom,
  InterruptedError,
  isAssertionFailure,
  keepUserSockets,
  releaseUser,
  settleExecution,
  type Random,
  type TestCase,
  type TestClass,
  type UserContext,
} from '@loads-runner/testcase'
import { TestTimeoutError } from './errors.ts'
import { mayStart, type LoadUser, type UserPart, type UserSurroundings } from './load-user.ts'
import { ownStack } from './test-modules.ts'
import { UserMeter } from './user-meter.ts'

/** A test method, ready to be called. */
export interface LoadedTest {
  label: string
  cls: TestClass
  /** Of what setUpRun returned for its class. */
  classKey: string
  method: string
  parameters: Record<string, unknown> | null
}

type Outcome = 'success' | 'failure' | 'error' | 'interrupted'

/** Why an execution was cut from outside. */
type Cut = 'cancelled' | 'timed-out'

/** How long code that was cut may take to unwind by itself before it is left behind, in milliseconds. */
const unwindMs = 500

/** A virtual user that runs TestCase classes: one instance of each class, one execution at a time. */
export class VirtualUser implements LoadUser {
  readonly #around: UserSurroundings
  readonly #tests: readonly LoadedTest[]
  readonly #meter: UserMeter
  readonly #user: number
  readonly #instances = new Map<TestClass, { test: TestCase; context: Context }>()
  /** Ends the wait for the user's code from outside; null while none of it runs. */
  #leave: (() => void) | null = null
  #cut: Cut | null = null
  #begunAt = Infinity
  #cancelled = false

  constructor(around: UserSurroundings, tests: readonly LoadedTest[], user: number) {
    this.#around = around
    this.#tests = tests
    this.#user = user
    this.#meter = new UserMeter(around.recorder)
  }

  async run(part: UserPart): Promise<void> {
    this.#around.state.add('activeUsers', 1)
    try {
      for (let iteration = part.fromIteration; mayStart(part, iteration, this.#around); iteration++) {
        const test = this.#tests[this.#around.cycle.testFor(this.#user, iteration)]!
        const outcome = await this.#execute(test, iteration)
        if (outcome === 'interrupted') break
        part.onProgress(iteration + 1)
        if (outcome === 'unusable') break
        const delay = this.#around.setup.spec.profile.delayMs
        if (delay > 0 && mayStart(part, iteration + 1, this.#around)) await this.#around.pause.sleep(delay)
        else await this.#around.breathe()
      }
      await this.#tearDownUser()
    } finally {
      this.#around.state.add('activeUsers', -1)
    }
  }

  /** It asks before each execution whether it may start. */
  drain(): void {}

  cancel(): void {
    this.#cancelled = true
    this.#cutExecution('cancelled')
  }

  timeOutSince(begunBefore: number): void {
    if (this.#begunAt < begunBefore) this.#cutExecution('timed-out')
  }

  #cutExecution(cut: Cut): void {
    if (this.#leave === null || this.#cut !== null) return
    this.#cut = cut
    for (const { context } of this.#instances.values()) context.abort()
    const leave = this.#leave
    setTimeout(leave, unwindMs).unref()
  }

  /** One call of a test method with setUp and tearDown. `unusable`: setUpUser failed, the user cannot go on. */
  async #execute(test: LoadedTest, iteration: number): Promise<Outcome | 'unusable'> {
    const { state, recorder } = this.#around
    this.#meter.test = test.label
    state.add('started', 1)
    recorder.internal('execution.started', test.label, 1)
    const begun = performance.now()
    this.#begunAt = begun
    let problem: { error: unknown } | null
    let ready = this.#instances.get(test.cls)
    let unusable = false
    if (ready === undefined) {
      const made = await this.#setUpUser(test)
      problem = made.problem
      ready = made.ready
      unusable = problem !== null
    } else problem = null
    if (!unusable && ready !== undefined) {
      const { test: instance, context } = ready
      context.begin(iteration, test)
      problem = await this.#attempt(async () => {
        await instance.setUp()
        await method(instance, test.method).call(instance)
      })
      const wasCut = this.#cut
      if (wasCut !== null) context.renewSignal()
      // Clean-up of a cut execution may still speak to the target; only the end of the thread stops it.
      this.#cut = null
      const afterwards = await this.#attempt(async () => {
        await instance.tearDown()
        settleExecution(instance)
      })
      this.#cut = wasCut ?? this.#cut
      problem ??= afterwards
    }
    const outcome = this.#judge(test, problem)
    this.#begunAt = Infinity
    this.#cut = null
    recorder.execution(test.label, outcome, (performance.now() - begun) * 1000)
    state.add(outcome === 'interrupted' ? 'interrupted' : 'finished', 1)
    return unusable && outcome !== 'interrupted' ? 'unusable' : outcome
  }

  #judge(test: LoadedTest, problem: { error: unknown } | null): Outcome {
    if (problem === null) return 'success'
    if (this.#cut === 'cancelled' || (this.#cancelled && problem.error instanceof InterruptedError))
      return 'interrupted'
    const error = this.#isTimedOut() ? this.#timeout(test.label) : problem.error
    this.#group(test.label, error)
    return isAssertionFailure(error) ? 'failure' : 'error'
  }

  #isTimedOut(): boolean {
    return this.#cut === 'timed-out'
  }

  #timeout(what: string): TestTimeoutError {
    return new TestTimeoutError(what, this.#around.setup.spec.testTimeoutMs)
  }

  #group(label: string, error: unknown): void {
    const type = error instanceof Error ? error.name : typeof error
    const message = error instanceof Error ? error.message : String(error)
    this.#around.recorder.error(label, type, message, () => ownStack(error, this.#around.setup.directory))
  }

  async #setUpUser(test: LoadedTest): Promise<{
    problem: { error: unknown } | null
    ready: { test: TestCase; context: Context } | undefined
  }> {
    const context = new Context(this.#around, this.#user, this.#meter, test)
    let ready: { test: TestCase; context: Context } | undefined
    const problem = await this.#attempt(async () => {
      const instance = new test.cls()
      ready = { test: instance, context }
      this.#instances.set(test.cls, ready)
      attachUser(instance, context)
      await instance.setUpUser()
      keepUserSockets(instance)
    })
    return { problem, ready }
  }

  async #tearDownUser(): Promise<void> {
    for (const { test, context } of this.#instances.values()) {
      context.renewSignal()
      this.#cut = null
      // Clean-up that never ends must not keep the run for ever either.
      this.#begunAt = performance.now()
      const problem = await this.#attempt(async () => test.tearDownUser())
      this.#begunAt = Infinity
      if (problem !== null) {
        const error = this.#isTimedOut() ? this.#timeout(`tearDownUser of user ${this.#user}`) : problem.error
        this.#around.recorder.internal('error.uncaught', '', 1)
        this.#group(this.#meter.test, error)
        this.#around.log('warning', `tearDownUser of user ${this.#user}: ${String(error)}`)
      }
      await releaseUser(test)
    }
    this.#instances.clear()
  }

  /** Runs code of the user's until it ends or is left behind. Resolves with what it threw. */
  #attempt(code: () => Promise<void>): Promise<{ error: unknown } | null> {
    return new Promise((resolve) => {
      this.#leave = () => resolve({ error: new InterruptedError('cut by the end of the run') })
      // A run that is being cancelled leaves clean-up a moment, but never waits for ever.
      if (this.#cancelled && this.#cut === null) setTimeout(this.#leave, cleanUpMs).unref()
      code().then(
        () => resolve(null),
        (error: unknown) => resolve({ error }),
      )
    })
  }
}

/** How long tearDown may take once the run is being cancelled, in milliseconds. */
const cleanUpMs = 3000

/** The method is known to exist: the tests were selected from the class. */
function method(test: TestCase, name: string): () => Promise<void> | void {
  return (test as unknown as Record<string, () => Promise<void> | void>)[name]!
}

/** The context of one instance. Random numbers and the abort signal are made when first asked for. */
class Context implements UserContext {
  readonly user: number
  iteration = 0
  params: Readonly<Record<string, string>>
  readonly run: UserContext['run']
  readonly meter: UserMeter
  readonly target: UserContext['target']
  readonly #common: Readonly<Record<string, string>>
  #random: Random | null = null
  #abort = new AbortController()

  constructor(around: UserSurroundings, user: number, meter: UserMeter, test: LoadedTest) {
    const { spec, runId, agent } = around.setup
    this.user = user
    this.meter = meter
    this.target = spec.target
    this.#common = spec.params
    this.params = withParameters(spec.params, test.parameters)
    this.run = { id: runId, seed: spec.seed, agent, data: around.runData[test.classKey] ?? null }
  }

  get random(): Random {
    return (this.#random ??= createRandom(this.run.seed, `${this.user}/${this.iteration}`))
  }

  set random(value: Random) {
    this.#random = value
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  begin(iteration: number, test: LoadedTest): void {
    this.iteration = iteration
    this.#random = null
    if (test.parameters !== null) this.params = withParameters(this.#common, test.parameters)
    if (this.#abort.signal.aborted) this.renewSignal()
  }

  abort(): void {
    this.#abort.abort(new InterruptedError('cut by the end of the run'))
  }

  renewSignal(): void {
    if (this.#abort.signal.aborted) this.#abort = new AbortController()
  }
}

/** Parameters are text, as on the command line; anything else is given as JSON. */
function withParameters(
  common: Readonly<Record<string, string>>,
  parameters: Record<string, unknown> | null,
): Readonly<Record<string, string>> {
  if (parameters === null) return common
  const texts = Object.entries(parameters).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  return { ...common, ...Object.fromEntries(texts) }
}
