import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { Recorder } from '@loads-runner/metrics'
import { warmUpSessions, type MovedUser } from '@loads-runner/testcase'
import { EngineError } from './errors.ts'
import { ClosedUsers } from './executors/closed-users.ts'
import { ExternalUsers } from './external/external-users.ts'
import type { LoadUser, UserSurroundings } from './load-user.ts'
import { Pause } from './pause.ts'
import type { LogLevel } from './session-spec.ts'
import { TestCycle } from './test-cycle.ts'
import { classKey, importModules, ownStack } from './test-modules.ts'
import { classesOf } from './select-tests.ts'
import type { ThreadPort, ThreadSetup, ToThread } from './thread-messages.ts'
import { ThreadState } from './thread-state.ts'
import { VirtualUser, type LoadedTest } from './virtual-user.ts'

/** A test that never waits must still let the event loop turn: every so many milliseconds. */
const breathEveryMs = 10
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
  readonly pause = new Pause()
  readonly #port: ThreadPort
  readonly #stages = new Map<number, ClosedUsers>()
  readonly #lag = monitorEventLoopDelay({ resolution: lagResolutionMs })
  readonly #beat: NodeJS.Timeout
  #tests: LoadedTest[] = []
  #cycle: TestCycle | null = null
  #external: ExternalUsers | null = null
  #draining = false
  #runData: Record<string, unknown> = {}
  #lastBreath = performance.now()
  #breath: Promise<void> | null = null

  constructor(setup: ThreadSetup, port: ThreadPort) {
    this.setup = setup
    this.#port = port
    this.state = new ThreadState(setup.state)
    this.recorder = new Recorder({
      maxSeries: setup.spec.maxSeries,
      define: (definition) => port.post({ type: 'define', definition }),
    })
    this.#lag.enable()
    this.#beat = setInterval(() => this.#onBeat(), beatEveryMs)
    this.#beat.unref()
  }

  get draining(): boolean {
    return this.#draining
  }

  get cycle(): TestCycle {
    return this.#cycle!
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
      case 'start-stage': {
        const users = this.#usersOf(message.stage)
        return users.start(message.range, new Uint32Array(message.progress))
      }
      case 'add-users':
        return this.#addUsers(message.users, new Uint32Array(message.progress))
      case 'restrict':
        return this.recorder.restrictTo(new Set(message.series))
      case 'stop':
        this.#draining = true
        this.pause.wakeAll()
        for (const users of this.#stages.values()) users[message.mode]()
        return undefined
      case 'cut-stage':
        return this.#stages.get(message.stage)?.cancel()
      case 'end':
        return this.#end()
    }
  }

  /** All users wait for the same turn: one that went on alone would keep the loop from turning. */
  breathe(): Promise<void> | null {
    if (this.#breath !== null) return this.#breath
    if (performance.now() - this.#lastBreath < breathEveryMs) return null
    this.#breath = turn().then(() => {
      this.#breath = null
      this.#lastBreath = performance.now()
    })
    return this.#breath
  }

  log(level: LogLevel, text: string): void {
    this.#port.post({ type: 'log', level, text })
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
      return { label, cls, classKey: classKey(test), method: test.method, parameters: test.parameters }
    })
    const weights = spec.tests.map((test) => test.weight)
    if (weights.every((weight) => weight === 0)) {
      throw new EngineError(
        'TEST_NOT_FOUND',
        3,
        'every chosen test has weight 0; name one test, or raise a weight',
      )
    }
    this.#cycle = new TestCycle(weights)
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
      })
    }
  }

  #usersOf(stage: number): ClosedUsers {
    let users = this.#stages.get(stage)
    if (users === undefined) {
      const onIdle = () => this.#port.post({ type: 'stage-done', stage })
      users = new ClosedUsers(stage, this, (user) => this.#makeUser(user), onIdle)
      this.#stages.set(stage, users)
    }
    return users
  }

  #addUsers(users: readonly MovedUser[], progress: Uint32Array): void {
    // One call holds users of one stage: the session sees to it.
    this.#usersOf(users[0]!.stage).join(users, progress)
  }

  #makeUser(user: number): LoadUser {
    return this.#external?.user() ?? new VirtualUser(this, this.#tests, user)
  }

  async #end(): Promise<void> {
    try {
      if (this.setup.index === 0) await this.#callClassHook('tearDownAgent')
    } catch (error) {
      this.uncaught(error)
      this.log('error', `tearDownAgent failed: ${ownStack(error, this.setup.directory)}`)
    }
    await this.#external?.close()
    clearInterval(this.#beat)
    this.#lag.disable()
    this.#port.post({ type: 'ended' })
  }

  #onBeat(): void {
    this.state.add('beats', 1)
    const lag = this.#lag.percentile(99) / 1e6 - lagResolutionMs
    this.state.eventLoopLagMs = Number.isFinite(lag) ? Math.max(0, lag) : 0
    if (this.state.get('beats') % 10 === 0) this.#lag.reset()
    const { testTimeoutMs } = this.setup.spec
    if (testTimeoutMs > 0) {
      for (const users of this.#stages.values()) users.timeOutSince(performance.now() - testTimeoutMs)
    }
  }
}
