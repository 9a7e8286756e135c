import { fork, type ChildProcess } from 'node:child_process'
import {
  EngineError,
  removeAbandoned,
  type SessionControl,
  type SessionListener,
  type SessionOptions,
  type StopMode,
} from '@loads-runner/engine'
import { Delta } from '@loads-runner/metrics'
import type { ControlChange, MovedUnit } from '@loads-runner/testcase/load'
import type { FromSession, ToSession } from './session-messages.ts'
import { SilenceWatch, watchMs } from './silence-watch.ts'

/** How long a session process may take to close before it is killed, in milliseconds. */
const closeGraceMs = 3000
/** A session process that says nothing for so long is frozen, in milliseconds. Its users run in threads of their own. */
const frozenMs = 10_000

/** A session in a process of its own: own working directory, own environment, own process group. */
export class ChildSession implements SessionControl {
  readonly #options: SessionOptions
  readonly #listener: SessionListener
  readonly #maxSilenceMs: number
  readonly #child: ChildProcess
  readonly #exited: Promise<string>
  #answer: { resolve(message: FromSession): void; reject(error: Error): void } | null = null
  #gone = false
  #final = false

  constructor(options: SessionOptions, listener: SessionListener, maxSilenceMs: number) {
    this.#options = options
    this.#maxSilenceMs = maxSilenceMs
    this.#listener = listener
    // Where the agent's join string came from the environment: users' code has no business with it.
    const { LOADS_BROKER: _, ...env } = process.env
    this.#child = fork(new URL('./session-process.js', import.meta.url), {
      serialization: 'advanced',
      env,
      // What the agent was started with (an inspector, a loader) is not the session's.
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    })
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8')
      stream.on('data', (text: string) => listener.log('info', text.trimEnd().slice(0, 10_000)))
    }
    let frozen = ''
    const watch = new SilenceWatch(frozenMs, () => {
      frozen = `it said nothing for ${frozenMs / 1000} s and was `
      this.#killGroup()
    })
    this.#child.on('message', (message) => {
      watch.heard()
      this.#onMessage(message as FromSession)
    })
    const alive = setInterval(() => {
      this.#send({ type: 'alive' })
      // On the main thread a user may hold everything up.
      if (options.spec.workers !== 0) watch.look()
    }, watchMs)
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(`it could not be started: ${error.message}`))
      this.#child.once('exit', (code, signal) =>
        resolve(signal === null ? `exit code ${code}` : `killed by ${signal}`),
      )
    })
    void this.#exited.then((how) => {
      clearInterval(alive)
      this.#onExit(frozen + how)
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  async prepare(): Promise<number> {
    const answer = await this.#ask({
      type: 'prepare',
      options: { ...this.#options, ownProcess: true },
      maxSilenceMs: this.#maxSilenceMs,
    })
    return answer.type === 'prepared' ? answer.workers : 0
  }

  async arm(data: string): Promise<void> {
    await this.#ask({ type: 'arm', data })
  }

  startStage(stage: number): void {
    this.#send({ type: 'start-stage', stage })
  }

  addUnits(units: MovedUnit[]): void {
    this.#send({ type: 'add-units', units })
  }

  control(stage: number, changes: ControlChange[]): void {
    this.#send({ type: 'control', stage, changes })
  }

  rows(feed: string, first: number, count: number): void {
    this.#send({ type: 'rows', feed, first, count })
  }

  restrictTo(series: string[]): void {
    this.#send({ type: 'restrict-to', series })
  }

  finish(): void {
    this.#send({ type: 'finish' })
  }

  stop(mode: StopMode): void {
    this.#send({ type: 'stop', mode })
  }

  async close(): Promise<void> {
    this.#final = true
    this.#send({ type: 'close' })
    const timer = setTimeout(() => this.#killGroup(), closeGraceMs)
    await this.#exited
    clearTimeout(timer)
    this.#killGroup()
    // Killed, it had no time to do so itself.
    await removeAbandoned(this.#options.workDir)
  }

  /** Ends the process and all that it started, now. For the exit of the agent. */
  killNow(): void {
    this.#killGroup()
  }

  #ask(message: ToSession): Promise<FromSession> {
    return new Promise((resolve, reject) => {
      if (this.#gone) return reject(new EngineError('SESSION_FAILED', 4, 'the session process is gone'))
      this.#answer = { resolve, reject }
      this.#send(message)
      return undefined
    })
  }

  #send(message: ToSession): void {
    if (this.#child.connected) this.#child.send(message, () => {})
  }

  #onMessage(message: FromSession): void {
    switch (message.type) {
      case 'prepared':
      case 'armed':
        this.#answer?.resolve(message)
        this.#answer = null
        break
      case 'failed':
        if (this.#answer !== null)
          this.#answer.reject(new EngineError('SESSION_FAILED', message.exitCode, message.message))
        else this.#listener.log('error', message.message)
        this.#answer = null
        break
      case 'stage-done':
        this.#listener.stageDone(message.stage)
        break
      case 'window': {
        const delta = new Delta()
        for (const each of message.window.delta) delta.add(each)
        this.#final ||= message.window.final
        this.#listener.window({ ...message.window, delta })
        break
      }
      case 'lease-rows':
        this.#listener.leaseRows(message.feed, message.size, message.count)
        break
      case 'log':
        this.#listener.log(message.level, message.text)
        break
      case 'note':
        this.#listener.note(message.text, message.tags)
        break
      case 'lost':
        this.#listener.lost(message.reason)
        break
      case 'closed':
        // It has nothing more to do; a name that is still looked up would hold it for seconds.
        this.#killGroup()
        break
      case 'alive':
    }
  }

  #onExit(how: string): void {
    this.#gone = true
    this.#killGroup()
    this.#answer?.reject(new EngineError('SESSION_FAILED', 4, `the session process is gone: ${how}`))
    this.#answer = null
    if (!this.#final) this.#listener.lost(`the session process is gone: ${how}`)
  }

  #killGroup(): void {
    if (this.#child.pid === undefined) return
    try {
      process.kill(-this.#child.pid, 'SIGKILL')
    } catch {
      // Nothing of the group is left.
    }
  }
}
