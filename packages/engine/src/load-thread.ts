import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { Recorder } from '@loads-runner/metrics'
import { checkNote, isInstrumented, proxiesFor, warmUpSessions, type Tags } from '@loads-runner/testcase'
import { runStages, type RunStage } from '@loads-runner/testcase/load'
import { Breath } from './breath.ts'
import { EngineError } from './errors.ts'
import type { Executor } from './executors/executor.ts'
import { makeExecutor } from './executors/make-executor.ts'
import { Replayed } from './executors/replayed.ts'
import { ExternalUsers } from './external/external-users.ts'
import { createFeeds } from './feeds/feeds.ts'
import type { LoadUser, UserSurroundings } from './load-user.ts'
import { Notes } from './notes.ts'
import type { LogLevel } from './session-spec.ts'
import { viewOf, type LoadedTest, type StageView } from './stage-view.ts'
import { classKey, importModules, ownStack } from './test-modules.ts'
import { classesOf } from './select-tests.ts'
import type { ThreadPort, ThreadSetup, ToThread } from './thread-messages.ts'
import { ThreadRows } from './thread-rows.ts'
import { ThreadState } from './thread-state.ts'
import { VirtualUser } from './virtual-user.ts'

const beatEveryMs = 100
/** `monitorEventLoopDelay` counts its own interval as delay. */
const lagResolutionMs = 10

/**
 * Runs virtual users: in a worker thread, or on the session's main thread for a debugger. Speaks only through its port
 * and shared memory.
 */
export class LoadThread implements UserSurroundings {
  readonly setup: ThreadSetup
  readonly recorder: Recorder
  readonly state: ThreadState
  readonly feeds: ReturnType<typeof createFeeds>
  readonly #port: ThreadPort
  readonly #rows: ThreadRows
  readonly #runStages: readonly RunStage[]
  readonly #executors = new Map<number, Executor>()
  /** How often units of a stage were given to this thread. */
  readonly #begun = new Map<number, number>()
  readonly #breath = new Breath()
  readonly #notes: Notes
  readonly #lag = monitorEventLoopDelay({ resolution: lagResolutionMs })
  readonly #garbage: PerformanceObserver
  readonly #beat: NodeJS.Timeout
  #tests: LoadedTest[] = []
  #external: ExternalUsers | null = null
  #draining = false
  #runData: Record<string, unknown> = {}

  constructor(setup: ThreadSetup, port: ThreadPort) {
    this.setup = setup
    this.#port = port
    this.#runStages = runStages(setup.spec.profile)
    this.#rows = new ThreadRows(port)
    this.feeds = createFeeds({
      directory: setup.directory,
      seed: setup.spec.seed,
      lease: this.#rows.lease,
      onUsed: this.#rows.used,
    })
    this.state = new ThreadState(setup.state)
    this.recorder = new Recorder({
      maxSeries: setup.spec.maxSeries,
      define: (definition) => port.post({ type: 'define', definition }),
    })
    // What no limit lets pass must not cross to the session's thread either.
    this.#notes = new Notes(
      (text, tags) => port.post({ type: 'note', text, tags }),
      (count) => port.post({ type: 'notes-left-out', count }),
    )
    this.#lag.enable()
    this.#garbage = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) this.state.gcMs += duration
    })
    this.#garbage.observe({ entryTypes: ['gc'] })
    this.#beat = setInterval(() => this.#onBeat(), beatEveryMs)
    this.#beat.unref()
  }

  get draining(): boolean {
    return this.#draining
  }

  get runData(): Record<string, unknown> {
    return this.#runData
  }

  async load(): Promise<void> {
    try {
      if (this.setup.spec.testRunner === null) await this.#loadTests()
      else this.#external = new ExternalUsers(this)
      this.#port.post({ type: 'loaded' })
    } catch (error) {
      const known = error instanceof EngineError
      const message = known ? error.message : ownStack(error, this.setup.directory)
      this.#port.post({ type: 'cannot-run', exitCode: known ? error.exitCode : 3, message })
    }
  }

  async handle(message: ToThread): Promise<void> {
    switch (message.type) {
      case 'arm':
        return this.#arm(message.data)
      case 'start-stage':
        return this.#executorOf(message.stage).start(message.range, new Uint32Array(message.progress))
      case 'add-units':
        return this.#executorOf(message.stage).join(message.units, new Uint32Array(message.progress))
      case 'control':
        return this.#executors.get(message.stage)?.control(message.changes)
      case 'rows':
        return this.#rows.take(message.request, message.first, message.count)
      case 'restrict':
        return this.recorder.restrictTo(new Set(message.series))
      case 'stop':
        this.#draining = true
        for (const executor of this.#executors.values()) executor[message.mode]()
        return undefined
      case 'cut-stage':
        return this.#executors.get(message.stage)?.cancel()
      case 'end':
        return this.#end()
    }
  }

  breathe(now: number): Promise<void> | null {
    return this.#breath.take(now)
  }

  log(level: LogLevel, text: string): void {
    this.#port.post({ type: 'log', level, text })
  }

  annotate(text: string, tags: Tags): void {
    this.#notes.take(text, tags)
  }

  /** An error that no execution was waiting for: a promise that was not awaited, a throwing timer. */
  uncaught(error: unknown): void {
    const type = error instanceof Error ? error.name : typeof error
    const message = error instanceof Error ? error.message : String(error)
    this.recorder.internal('error.uncaught', '', 1)
    this.recorder.error('', type, message, () => ownStack(error, this.setup.directory))
  }

  async #loadTests(): Promise<void> {
    const { manifest, directory, spec } = this.setup
    if (manifest.entry === null) throw new EngineError('BUNDLE_INVALID', 4, 'the bundle holds no tests')
    const modules = await importModules(directory, manifest.entry)
    warmUpSessions()
    this.#tests = spec.tests.map(({ label }) => {
      const test = manifest.tests.find((each) => each.label === label)
      const cls = test && classesOf(modules[test.module] ?? {}).get(test.className)
      if (test === undefined || cls === undefined) {
        throw new EngineError('TEST_NOT_FOUND', 3, `test '${label}' is not in the bundle`)
      }
      return {
        label,
        cls,
        classKey: classKey(test),
        method: test.method,
        instrumented: isInstrumented(cls),
        parameters: test.parameters,
      }
    })
    for (const { name, tests } of spec.profile.scenarios) {
      if (tests.some((test) => test.weight > 0)) continue
      const message = `every test of scenario '${name}' has weight 0; name one test, or raise a weight`
      throw new EngineError('TEST_NOT_FOUND', 3, message)
    }
    for (const run of this.#runStages) this.#viewOf(run)
  }

  async #arm(data: string): Promise<void> {
    this.#runData = JSON.parse(data) as Record<string, unknown>
    try {
      // Once per session: the first thread does it.
      if (this.setup.index === 0) await this.#callClassHook('setUpAgent')
      this.#port.post({ type: 'armed' })
    } catch (error) {
      const message = `setUpAgent failed: ${ownStack(error, this.setup.directory)}`
      this.#port.post({ type: 'cannot-run', exitCode: 4, message })
    }
  }

  async #callClassHook(hook: 'setUpAgent' | 'tearDownAgent'): Promise<void> {
    const { runId, agent, spec } = this.setup
    for (const cls of new Set(this.#tests.map((test) => test.cls))) {
      const test = this.#tests.find((each) => each.cls === cls)!
      await cls[hook]?.({
        runId,
        seed: spec.seed,
        agent,
        params: spec.params,
        serverUrl: spec.target.serverUrl,
        data: this.#runData[test.classKey] ?? null,
        annotate: (text, tags = {}) => {
          checkNote(text, tags)
          this.annotate(text, tags)
        },
        get proxies() {
          return proxiesFor('user')
        },
      })
    }
  }

  #executorOf(stage: number): Executor {
    this.#begun.set(stage, (this.#begun.get(stage) ?? 0) + 1)
    let executor = this.#executors.get(stage)
    if (executor === undefined) {
      const view = this.#viewOf(this.#runStages[stage]!)
      const options = {
        view,
        around: this,
        makeUser: (user: number) => this.#makeUser(view, user),
        onIdle: () => {
          this.#rows.flush()
          this.#port.post({ type: 'stage-done', stage, begun: this.#begun.get(stage)! })
        },
      }
      const { replay } = this.setup.spec
      executor =
        replay === null ? makeExecutor(options) : new Replayed(options, replay.unit, replay.iteration)
      this.#executors.set(stage, executor)
    }
    return executor
  }

  /** @throws {EngineError} TEST_NOT_FOUND */
  #viewOf(run: RunStage): StageView {
    const { spec } = this.setup
    const tests = run.scenario.tests.map(({ label }) => this.#tests.find((each) => each.label === label))
    const missing = tests.indexOf(undefined)
    if (missing >= 0 && spec.testRunner === null) {
      const { label } = run.scenario.tests[missing]!
      const message = `scenario '${run.scenario.name}' names '${label}', which is not among the tests of the run`
      throw new EngineError('TEST_NOT_FOUND', 3, message)
    }
    const loaded = tests.filter((test) => test !== undefined)
    return viewOf(this.#runStages, run, loaded, spec.params)
  }

  #makeUser(view: StageView, user: number): LoadUser {
    return this.#external?.user(view, user) ?? new VirtualUser(this, view, user)
  }

  async #end(): Promise<void> {
    try {
      if (this.setup.index === 0) await this.#callClassHook('tearDownAgent')
    } catch (error) {
      this.uncaught(error)
      this.log('error', `tearDownAgent failed: ${ownStack(error, this.setup.directory)}`)
    }
    await this.#external?.close()
    await this.feeds.close()
    this.#rows.flush()
    this.#notes.tell(Infinity)
    clearInterval(this.#beat)
    this.#lag.disable()
    this.#garbage.disconnect()
    this.#port.post({ type: 'ended' })
  }

  #onBeat(): void {
    this.state.add('beats', 1)
    const lag = this.#lag.percentile(99) / 1e6 - lagResolutionMs
    this.state.eventLoopLagMs = Number.isFinite(lag) ? Math.max(0, lag) : 0
    if (this.state.get('beats') % 10 === 0) this.#lag.reset()
    this.#rows.flush()
    const now = performance.now()
    this.#notes.tell(now)
    const { testTimeoutMs } = this.setup.spec
    for (const executor of this.#executors.values()) {
      executor.beat(now)
      if (testTimeoutMs > 0) executor.timeOutSince(now - testTimeoutMs)
    }
  }
}
