import { availableParallelism } from 'node:os'
import { Recorder, WindowCutter, type Definition } from '@loads-runner/metrics'
import { durationOf, type ControlChange, type MovedUnit, type RunStage } from '@loads-runner/testcase/load'
import { Secrets } from '@loads-runner/testcase/secrets'
import type { Manifest } from './bundle-archive.ts'
import { EngineError } from './errors.ts'
import { OutputLines } from './output-lines.ts'
import { HealthWatch } from './health-watch.ts'
import { Notes, notesLeftOut } from './notes.ts'
import { plannedAfter, planSession, type SessionPlan } from './plan.ts'
import { RowLeases } from './row-leases.ts'
import type { SessionControl, SessionListener, SessionOptions, StopMode } from './session-spec.ts'
import { blockedWarningMs, ledgerOf, SessionThread, sumOf } from './session-thread.ts'
import { startOnMainThread, startWorkerThread } from './thread-host.ts'
import type { FromThread, ToThread } from './thread-messages.ts'
import { ThreadWait } from './thread-wait.ts'
import { readSteadily } from './steady-reading.ts'
import { Timers } from './timers.ts'
import { UnitProgress } from './unit-progress.ts'
import { WindowTimer } from './window-timer.ts'
import { WorkDirectory } from './work-directory.ts'

/** After a cancel, tearDown has this long before its thread is killed, in milliseconds. */
const cancelGraceMs = 5000

/**
 * One run on one agent: loads the tests in load threads, starts stages, cuts and numbers windows, ends.
 *
 *     threads --define--> cutter --every window--> listener.window     (shared memory: nothing per hit is sent)
 *     control: prepare -> arm -> startStage 0..n -> stop -> final window -> close
 */
export class Session implements SessionControl {
  readonly #options: SessionOptions
  readonly #listener: SessionListener
  readonly #plan: SessionPlan
  readonly #cutter = new WindowCutter()
  /** For what the main thread itself must record: executions of threads that died. */
  readonly #recorder: Recorder
  readonly #progress: UnitProgress[] = []
  readonly #output: OutputLines
  /** Whatever leaves the session, in names, messages or lines, leaves without them. */
  readonly #secrets: Secrets
  readonly #health = new HealthWatch()
  readonly #notes: Notes
  readonly #leases: RowLeases
  #threads: SessionThread[] = []
  #directory: WorkDirectory | null = null
  readonly #wait = new ThreadWait()
  readonly #timers = new Timers()
  #cutting: WindowTimer | null = null
  #startedAt = 0
  #lastCutMs = 0
  #watchedAt = 0
  #windows = 0
  #planned: number
  /** Stages that were asked for, and those of them whose time has come. */
  readonly #asked = new Set<number>()
  readonly #begun = new Set<number>()
  /** Units of lost agents whose stage has not begun. */
  #later: MovedUnit[] = []
  readonly #changes = new Map<number, ControlChange[]>()
  #stopping: StopMode | null = null
  #finishing = false
  #phase: 'preparing' | 'running' | 'ending' | 'ended' = 'preparing'

  constructor(options: SessionOptions, listener: SessionListener) {
    this.#options = options
    this.#secrets = new Secrets(Object.values(options.spec.secrets))
    const log: SessionListener['log'] = (level, text) => listener.log(level, this.#secrets.hide(text))
    this.#listener = { ...listener, log }
    this.#plan = planSession(options.spec, options.share, availableParallelism())
    this.#planned = this.#plan.planned
    this.#recorder = new Recorder({
      maxSeries: options.spec.maxSeries,
      define: (definition) => this.#define(definition),
    })
    this.#leases = new RowLeases((feed, size, count) => listener.leaseRows(feed, size, count))
    this.#notes = new Notes(
      (text, tags) => listener.note(text, tags),
      (count) => log('warning', notesLeftOut(count)),
    )
    this.#output = new OutputLines(50, (line) => log('info', line))
  }

  async prepare(): Promise<number> {
    const { bundle, workDir, ownProcess } = this.#options
    const { directory, manifest } = await WorkDirectory.unpack(bundle, workDir)
    this.#directory = directory
    if (ownProcess) process.chdir(directory.path)
    for (let index = 0; index < this.#plan.ranges.length; index++) this.#startThread(index, manifest)
    await this.#wait.until(this.#threads, 'loaded')
    return this.#plan.threads
  }

  async arm(data: string): Promise<void> {
    // The first thread alone runs setUpAgent; the others follow when it is done.
    const [first, ...others] = this.#threads
    first!.host.post({ type: 'arm', data })
    await this.#wait.until([first!], 'armed')
    for (const thread of others) thread.host.post({ type: 'arm', data })
    await this.#wait.until(this.#threads, 'armed')
  }

  startStage(stage: number): void {
    if (this.#phase === 'preparing') this.#begin()
    if (this.#stopping !== null || this.#phase !== 'running') return
    // Said again over a new link.
    if (this.#asked.has(stage)) return
    this.#asked.add(stage)
    const { scenario, place } = this.#stageOf(stage)
    const waitMs =
      place > 0 || this.#options.spec.replay !== null
        ? 0
        : this.#startedAt + scenario.startMs - performance.now()
    if (waitMs > 0) this.#timers.after(waitMs, () => this.#beginStage(stage))
    else this.#beginStage(stage)
  }

  addUnits(units: MovedUnit[]): void {
    // They may come before the first stage, where that has to be said again.
    const isOver = this.#phase === 'ending' || this.#phase === 'ended'
    if (isOver || this.#stopping !== null) return
    for (const { unit, stage, fromIteration } of units) {
      this.#planned += plannedAfter(this.#stageOf(stage), unit, fromIteration)
    }
    this.#later.push(...units.filter((each) => !this.#begun.has(each.stage)))
    this.#join(units.filter((each) => this.#begun.has(each.stage)))
  }

  control(stage: number, changes: ControlChange[]): void {
    this.#changes.set(stage, changes)
    if (this.#begun.has(stage)) this.#post({ type: 'control', stage, changes })
  }

  rows(feed: string, first: number, count: number): void {
    this.#leases.granted(feed, first, count)
  }

  restrictTo(series: string[]): void {
    this.#post({ type: 'restrict', series })
  }

  finish(): void {
    this.#finishing = true
    this.#endWhenIdle()
  }

  stop(mode: StopMode): void {
    if (this.#phase === 'ending' || this.#phase === 'ended') {
      if (mode === 'kill') void this.#killThreads(this.#living(), 'it was killed')
      return
    }
    if (this.#stopping === mode) return
    this.#stopping = mode
    if (mode === 'kill') {
      void this.#killThreads(this.#living(), 'it was killed')
    } else {
      this.#post({ type: 'stop', mode })
      if (mode === 'drain') this.#timers.after(this.#options.spec.drainMs, () => this.stop('cancel'))
      else this.#timers.after(cancelGraceMs, () => this.stop('kill'))
    }
    if (this.#phase === 'preparing') this.#begin()
    this.#endWhenIdle()
  }

  async close(): Promise<void> {
    this.#phase = 'ended'
    this.#clearTimers()
    this.#fail(new EngineError('SESSION_FAILED', 4, 'the session was closed'))
    await Promise.all(this.#threads.filter((each) => each.status !== 'dead').map((each) => each.host.kill()))
    if (this.#options.ownProcess) process.chdir('/')
    await this.#directory?.remove()
  }

  #stageOf(number: number): RunStage {
    return this.#plan.stages[number]!
  }

  #beginStage(stage: number): void {
    if (this.#stopping !== null || this.#phase !== 'running') return
    this.#begun.add(stage)
    const changes = this.#changes.get(stage)
    for (const thread of this.#living()) {
      const range = this.#plan.ranges[thread.index]![stage]!
      const progress = UnitProgress.ofRange(range)
      this.#progress.push(progress)
      thread.give(stage)
      thread.host.post({ type: 'start-stage', stage, range, progress: progress.block })
      if (changes !== undefined) thread.host.post({ type: 'control', stage, changes })
    }
    const due = this.#later.filter((each) => each.stage === stage)
    this.#later = this.#later.filter((each) => each.stage !== stage)
    this.#join(due)
    if (this.#living().length === 0) this.#onStageDone(stage)
    const { model, scenario } = this.#stageOf(stage)
    const durationMs = durationOf(model)
    // One execution alone may take its time: somebody is looking at it.
    if (durationMs !== null && this.#options.spec.replay === null)
      this.#timers.after(durationMs + scenario.gracefulStopMs, () => this.#cutStage(stage))
  }

  /** Starts units that go on where they stopped elsewhere, spread over the threads. */
  #join(units: readonly MovedUnit[]): void {
    const threads = this.#living()
    for (const stage of new Set(units.map((each) => each.stage))) {
      const ofStage = units.filter((each) => each.stage === stage)
      for (const [index, thread] of threads.entries()) {
        const part = ofStage.filter((_, place) => place % threads.length === index)
        if (part.length === 0) continue
        const progress = UnitProgress.ofMoved(part)
        this.#progress.push(progress)
        thread.give(stage)
        thread.host.post({ type: 'add-units', stage, units: part, progress: progress.block })
        const changes = this.#changes.get(stage)
        if (changes !== undefined) thread.host.post({ type: 'control', stage, changes })
      }
    }
  }

  #startThread(index: number, manifest: Manifest): void {
    const { spec, runId, agent } = this.#options
    const thread = new SessionThread(index)
    const start = this.#plan.threads === 0 ? startOnMainThread : startWorkerThread
    const directory = this.#directory!.path
    const setup = { index, runId, agent, spec, manifest, directory, state: thread.state.buffer }
    thread.host = start(setup, {
      onMessage: (message) => this.#onMessage(thread, message),
      onDeath: (reason) => this.#onDeath(thread, reason),
      onOutput: (line) => this.#output.push(line),
    })
    this.#threads.push(thread)
  }

  #onMessage(thread: SessionThread, message: FromThread): void {
    switch (message.type) {
      case 'loaded':
      case 'armed':
      case 'ended':
        thread.status = message.type
        this.#wait.check()
        if (message.type === 'ended') this.#endWhenIdle()
        break
      case 'cannot-run':
        this.#fail(new EngineError('SET_UP_FAILED', message.exitCode, this.#secrets.hide(message.message)))
        break
      case 'define':
        this.#define(message.definition)
        break
      case 'stage-done':
        thread.done(message.stage, message.begun)
        this.#onStageDone(message.stage)
        break
      case 'lease-rows': {
        const { request, feed, size, count } = message
        const give = (first: number, given: number) =>
          thread.host.post({ type: 'rows', request, first, count: given })
        this.#leases.request(feed, { size, count, give })
        break
      }
      case 'rows-used':
        this.#leases.use(message.rows)
        break
      case 'log':
        this.#listener.log(message.level, message.text)
        break
      case 'note':
        this.#notes.take(this.#secrets.hide(message.text), this.#secrets.hideIn(message.tags))
        break
      case 'notes-left-out':
        this.#notes.leaveOut(message.count)
    }
  }

  #define({ key, detail, block }: Definition): void {
    this.#cutter.add({ key: this.#secrets.hideIn(key), detail: this.#secrets.hideIn(detail), block })
  }

  #onDeath(thread: SessionThread, reason: string): void {
    if (thread.status === 'ended' || thread.status === 'dead') return
    this.#bury(thread)
    const message = `load thread ${thread.index} is gone: ${reason}`
    if (this.#wait.isWaiting) return this.#fail(new EngineError('SESSION_FAILED', 4, message))
    // Its users did not do what was planned: the run must not pass.
    this.#recorder.internal('error.uncaught', '', 1)
    this.#recorder.error('', 'LoadThreadGone', message, () => message)
    this.#listener.log('error', message)
    this.#endWhenIdle()
    return undefined
  }

  /** A dead thread's executions were cut; what it recorded stays. */
  #bury(thread: SessionThread): void {
    const stages = thread.bury()
    for (let cut = thread.state.running; cut > 0; cut--) {
      thread.state.add('interrupted', 1)
      this.#recorder.execution(this.#anyTest, 'interrupted', 0, null)
    }
    thread.state.add('activeUsers', -thread.state.get('activeUsers'))
    // Starts that waited for a user in it are never made.
    const { state } = thread
    state.add('dropped', state.get('planned') - state.get('arrived') - state.get('dropped'))
    for (const stage of stages) this.#onStageDone(stage)
  }

  #onStageDone(stage: number): void {
    if (this.#threads.some((thread) => thread.stages.has(stage))) return
    if (this.#phase === 'running') {
      // Progress up to here travels before the word that the stage is over.
      if (this.#stopping === null) this.#cut(false)
      this.#listener.stageDone(stage)
    }
    this.#endWhenIdle()
  }

  #begin(): void {
    this.#phase = 'running'
    this.#startedAt = performance.now()
    this.#watchedAt = this.#startedAt
    this.#health.begin()
    for (const thread of this.#threads) thread.wakeUp(this.#startedAt)
    this.#cutting = new WindowTimer(this.#startedAt, this.#options.spec.windowMs, () => {
      this.#watchThreads()
      this.#leases.repeat()
      this.#notes.tell(performance.now())
      this.#cut(false)
    })
  }

  /** Time is over and executions have had their time to finish. */
  #cutStage(stage: number): void {
    const late = this.#threads.filter((thread) => thread.stages.has(stage))
    if (late.length === 0) return
    this.#listener.log(
      'warning',
      `executions did not finish within ${this.#stageOf(stage).scenario.gracefulStopMs / 1000} s of the end of their stage; they are cancelled`,
    )
    this.#post({ type: 'cut-stage', stage })
    this.#timers.after(cancelGraceMs, () => {
      const stuck = late.filter((thread) => thread.stages.has(stage))
      void this.#killThreads(stuck, 'its tests did not end when cancelled')
    })
  }

  /** When the end was asked for and no user runs any more: tearDownAgent, then the final window. */
  #endWhenIdle(): void {
    if (this.#stopping === null && !this.#finishing) return
    if (this.#phase === 'ended' || this.#phase === 'preparing') return
    if (this.#threads.some((thread) => thread.stages.size > 0)) return
    if (this.#phase === 'running') {
      this.#phase = 'ending'
      this.#post({ type: 'end' })
      this.#timers.after(
        cancelGraceMs,
        () => void this.#killThreads(this.#living(), 'tearDownAgent did not end'),
      )
    }
    if (this.#living().length > 0) return
    this.#phase = 'ended'
    this.#clearTimers()
    this.#output.flush()
    this.#notes.tell(Infinity)
    this.#cut(true)
  }

  async #killThreads(victims: readonly SessionThread[], reason: string): Promise<void> {
    await Promise.all(victims.map((thread) => thread.host.kill()))
    for (const thread of victims) {
      if (thread.status === 'ended' || thread.status === 'dead') continue
      this.#bury(thread)
      this.#listener.log('warning', `load thread ${thread.index} was ended by force: ${reason}`)
    }
    this.#endWhenIdle()
  }

  #cut(final: boolean): void {
    const toMs = performance.now() - this.#startedAt
    const reading = readSteadily({
      ledger: () => ledgerOf(this.#planned, this.#threads),
      progress: (into) => this.#progress.forEach((each) => each.collect(into)),
      cut: () => this.#cutter.cut(),
    })
    this.#listener.window({
      number: this.#windows++,
      fromMs: this.#lastCutMs,
      toMs,
      final,
      activeUsers: sumOf(this.#threads, 'activeUsers'),
      ...reading,
      generator: this.#health.look(this.#threads, toMs - this.#lastCutMs),
      rows: this.#leases.collect(),
    })
    this.#lastCutMs = toMs
  }

  /** A test that blocks its event loop is seen from here, and ended when it lasts longer than a test may. */
  #watchThreads(): void {
    if (this.#plan.threads === 0) return
    const now = performance.now()
    const { testTimeoutMs, windowMs } = this.#options.spec
    // Where the whole process stood still, it was none of its tests.
    const stoodStillMs = Math.max(0, now - this.#watchedAt - 2 * windowMs)
    this.#watchedAt = now
    for (const thread of this.#living()) {
      thread.unseenFor(stoodStillMs)
      const blockedMs = thread.blockedFor(now)
      if (thread.shouldWarn(blockedMs)) {
        const seconds = (blockedMs / 1000).toFixed(0)
        this.#listener.log(
          'warning',
          `load thread ${thread.index} has been blocked for ${seconds} s by a test that does not wait`,
        )
      }
      if (testTimeoutMs > 0 && blockedMs > testTimeoutMs + blockedWarningMs) {
        thread.giveUp()
        void thread.host.kill().then(() => this.#onBlocked(thread))
      }
    }
  }

  #onBlocked(thread: SessionThread): void {
    // One of its executions is the culprit: that one is an error, the others were only cut.
    if (thread.state.running > 0) {
      const { testTimeoutMs } = this.#options.spec
      const message = `the event loop was blocked for more than ${testTimeoutMs / 1000} s: the test computes or loops without waiting`
      thread.state.add('finished', 1)
      this.#recorder.execution(this.#anyTest, 'error', testTimeoutMs * 1000, null)
      this.#recorder.error(this.#anyTest, 'TestBlocked', message, () => message)
    }
    this.#bury(thread)
    this.#endWhenIdle()
  }

  /** Which of the tests a dead thread was running is not known when there are several. */
  get #anyTest(): string {
    const { tests } = this.#options.spec
    return tests.length === 1 ? tests[0]!.label : '(unknown)'
  }

  #fail(error: Error): void {
    if (!this.#wait.fail(error) && this.#phase !== 'ended') this.#listener.log('error', error.message)
  }

  #living(): SessionThread[] {
    return this.#threads.filter((thread) => thread.living)
  }

  #post(message: ToThread): void {
    for (const thread of this.#living()) thread.host.post(message)
  }

  #clearTimers(): void {
    this.#cutting?.stop()
    this.#cutting = null
    this.#timers.clear()
  }
}
