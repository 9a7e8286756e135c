import {
  attachUser,
  InterruptedError,
  isAssertionFailure,
  keepUserSockets,
  releaseUser,
  restoreProxies,
  runInstrumented,
  settleExecution,
  TestCase,
  type TestClass,
} from '@loads-runner/testcase'
import { TestTimeoutError } from './errors.ts'
import type { ExecutionEnd, LoadUser, UserSurroundings } from './load-user.ts'
import type { StageTest, StageView } from './stage-view.ts'
import { ownStack } from './test-modules.ts'
import { EngineContext } from './user-context.ts'
import { UserMeter } from './user-meter.ts'

type Outcome = 'success' | 'failure' | 'error' | 'interrupted'

/** What users' code threw; null: nothing. */
type Problem = { error: unknown } | null

/** Why an execution was cut from outside. */
type Cut = 'cancelled' | 'timed-out'

/** How long code that was cut may take to unwind by itself before it is left behind, in milliseconds. */
const unwindMs = 500
/** How long tearDown may take once the run is being cancelled, in milliseconds. */
const cleanUpMs = 3000

/** An instance of a test class, set up for this user. */
interface Ready {
  test: TestCase
  context: EngineContext
  /** Clients other than ours are measured in its code. */
  instrumented: boolean
}

/** A virtual user that runs TestCase classes: one instance of each class, one execution at a time. */
export class VirtualUser implements LoadUser {
  readonly user: number
  endedAt = 0
  readonly #around: UserSurroundings
  readonly #view: StageView
  readonly #meter: UserMeter
  readonly #instances = new Map<TestClass, Ready>()
  /** Ends the wait for the user's code from outside; null while none of it is waited for. */
  #leave: (() => void) | null = null
  #cut: Cut | null = null
  #begunAt = Infinity
  #cancelled = false
  #executions = 0

  constructor(around: UserSurroundings, view: StageView, user: number) {
    this.#around = around
    this.#view = view
    this.user = user
    this.#meter = new UserMeter(around.recorder, around.state)
  }

  async execute(iteration: number, ordinal: number, intendedAt: number | null): Promise<ExecutionEnd> {
    const { state, recorder } = this.#around
    const { numbered, cycle, tests } = this.#view
    const test = tests[numbered ? cycle.testFor(0, ordinal) : cycle.testFor(this.user, iteration)]!
    const count = numbered ? this.#executions : iteration
    this.#executions++
    this.#meter.test = test.label
    this.#meter.intendedAt = intendedAt
    state.add('started', 1)
    recorder.internal('execution.started', test.label, 1, test.tags)
    const begun = performance.now()
    this.#begunAt = begun
    if (intendedAt !== null) recorder.lateness(test.label, (begun - intendedAt) * 1000, test.tags)

    let ready = this.#instances.get(test.cls)
    let problem: Problem = null
    let usable = true
    if (ready === undefined) {
      const context = new EngineContext(this.#around, this.#view, this.user, this.#meter, test)
      context.begin(count, ordinal, test)
      this.#meter.tagged = context
      problem = await this.#setUpUser(test, context)
      usable = problem === null
      ready = this.#instances.get(test.cls)
    }
    if (usable && ready !== undefined) {
      ready.context.begin(count, ordinal, test)
      this.#meter.tagged = ready.context
      const running = test.instrumented ? this.#runInstrumented(ready, test) : this.#run(ready, test)
      problem = running instanceof Promise ? await running : running
      const ending = this.#tearDown(ready)
      const afterwards = ending instanceof Promise ? await ending : ending
      problem ??= afterwards
    }

    const outcome = problem === null ? 'success' : this.#judge(test, ready?.context ?? null, problem.error)
    const ended = performance.now()
    this.endedAt = ended
    this.#begunAt = Infinity
    this.#cut = null
    this.#meter.intendedAt = null
    recorder.execution(test.label, outcome, (ended - begun) * 1000, test.tags)
    if (intendedAt !== null) recorder.response(test.label, outcome, (ended - intendedAt) * 1000, test.tags)
    if (outcome === 'interrupted') {
      state.add('interrupted', 1)
      return 'interrupted'
    }
    state.add('finished', 1)
    return usable ? 'finished' : 'unusable'
  }

  cut(): void {
    this.#cutExecution('cancelled')
  }

  cancel(): void {
    this.#cancelled = true
    this.#cutExecution('cancelled')
  }

  timeOutSince(begunBefore: number): void {
    if (this.#begunAt < begunBefore) this.#cutExecution('timed-out')
  }

  async end(): Promise<void> {
    for (const ready of this.#instances.values()) {
      if (overrides(ready.test, 'tearDownUser')) await this.#tearDownUser(ready)
      await releaseUser(ready.test)
    }
    this.#instances.clear()
  }

  #cutExecution(cut: Cut): void {
    if (this.#leave === null || this.#cut !== null) return
    this.#cut = cut
    for (const { context } of this.#instances.values()) context.abort()
    setTimeout(this.#leave, unwindMs).unref()
  }

  #runInstrumented(ready: Ready, test: StageTest): Problem | Promise<Problem> {
    return runInstrumented(ready.context, () => this.#run(ready, test))
  }

  /** setUp and the test. What needs no wait costs none: most classes have no setUp of their own. */
  #run({ test }: Ready, { method }: StageTest): Problem | Promise<Problem> {
    if (overrides(test, 'setUp')) {
      return this.#wait(
        (async () => {
          await test.setUp()
          await methodOf(test, method).call(test)
        })(),
      )
    }
    try {
      const result = methodOf(test, method).call(test)
      return isThenable(result) ? this.#wait(result) : null
    } catch (error) {
      return { error }
    }
  }

  /** Clean-up of a cut execution may still speak to the target; only the end of the thread stops it. */
  #tearDown(ready: Ready): Problem | Promise<Problem> {
    const { test, context } = ready
    const wasCut = this.#cut
    if (wasCut !== null) context.renewSignal()
    if (!overrides(test, 'tearDown')) {
      const restoring = restoreProxies(test)
      if (restoring !== undefined) return this.#wait(settled(test, restoring))
      try {
        settleExecution(test)
        return null
      } catch (error) {
        return { error }
      }
    }
    this.#cut = null
    const ending = this.#wait(
      (async () => {
        await inCodeOf(ready, () => test.tearDown())
        const restoring = restoreProxies(test)
        if (restoring === undefined) settleExecution(test)
        else await settled(test, restoring)
      })(),
    )
    return ending.then((problem) => {
      this.#cut = wasCut ?? this.#cut
      return problem
    })
  }

  #judge(test: StageTest, context: EngineContext | null, error: unknown): Outcome {
    if (this.#cut === 'cancelled' || (this.#cancelled && error instanceof InterruptedError))
      return 'interrupted'
    const shown = this.#cut === 'timed-out' ? this.#timeout(test.label) : error
    this.#group(test.label, shown, context === null ? null : context.executionId)
    return isAssertionFailure(shown) ? 'failure' : 'error'
  }

  #timeout(what: string): TestTimeoutError {
    return new TestTimeoutError(what, this.#around.setup.spec.testTimeoutMs)
  }

  #group(label: string, error: unknown, execution: string | null): void {
    const type = error instanceof Error ? error.name : typeof error
    const message = error instanceof Error ? error.message : String(error)
    this.#around.recorder.error(label, type, message, () => {
      const stack = ownStack(error, this.#around.setup.directory)
      return execution === null ? stack : `${stack}\nexecution ${execution}`
    })
  }

  #setUpUser(test: StageTest, context: EngineContext): Promise<Problem> {
    return this.#wait(
      (async () => {
        const instance = new test.cls()
        const ready = { test: instance, context, instrumented: test.instrumented }
        this.#instances.set(test.cls, ready)
        attachUser(instance, context)
        await inCodeOf(ready, () => instance.setUpUser())
        keepUserSockets(instance)
      })(),
    )
  }

  async #tearDownUser(ready: Ready): Promise<void> {
    ready.context.renewSignal()
    this.#cut = null
    // Clean-up that never ends must not keep the run for ever either.
    this.#begunAt = performance.now()
    const problem = await this.#wait((async () => inCodeOf(ready, () => ready.test.tearDownUser()))())
    this.#begunAt = Infinity
    if (problem === null) return
    const cut = this.#cut as Cut | null
    const error = cut === 'timed-out' ? this.#timeout(`tearDownUser of user ${this.user}`) : problem.error
    this.#around.recorder.internal('error.uncaught', '', 1)
    this.#group(this.#meter.test, error, null)
    this.#around.log('warning', `tearDownUser of user ${this.user}: ${String(error)}`)
  }

  /** Waits until code of the user's ends, or is left behind. Resolves with what it threw. */
  #wait(code: PromiseLike<unknown>): Promise<Problem> {
    return new Promise((resolve) => {
      const leave = () => {
        this.#leave = null
        resolve({ error: new InterruptedError('cut by the end of the run') })
      }
      this.#leave = leave
      // A run that is being cancelled leaves clean-up a moment, but never waits for ever.
      if (this.#cancelled && this.#cut === null) setTimeout(leave, cleanUpMs).unref()
      code.then(
        () => {
          if (this.#leave === leave) this.#leave = null
          resolve(null)
        },
        (error: unknown) => {
          if (this.#leave === leave) this.#leave = null
          resolve({ error })
        },
      )
    })
  }
}

function inCodeOf<T>({ context, instrumented }: Ready, code: () => T): T {
  return instrumented ? runInstrumented(context, code) : code()
}

function overrides(test: TestCase, hook: 'setUp' | 'tearDown' | 'tearDownUser'): boolean {
  return test[hook] !== TestCase.prototype[hook]
}

/** The method is known to exist: the tests were selected from the class. */
function methodOf(test: TestCase, name: string): () => unknown {
  return (test as unknown as Record<string, () => unknown>)[name]!
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}

/** The test's own error says more than a fault that could not be taken back. */
async function settled(test: object, restoring: Promise<void>): Promise<void> {
  try {
    settleExecution(test)
  } catch (error) {
    await restoring.catch(() => {})
    throw error
  }
  await restoring
}
