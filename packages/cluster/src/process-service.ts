import { spawn } from 'node:child_process'
import type { ChildProcess, StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { onFirstLine } from './announcement.ts'
import { Deferred } from './deferred.ts'
import { ClusterError, ServiceStartError, ServiceStopError } from './errors.ts'
import { openHiddenInput } from './hidden-input.ts'
import { LogTail, tailOfFile } from './log-tail.ts'
import { groupGone, guardGroup, signalGroup, unguardGroup } from './process-group.ts'
import { describeExit } from './service.ts'
import type { Exit, Service } from './service.ts'

export interface ProcessServiceOptions {
  /** Shown in messages: `broker`, `agent 3`. */
  name: string
  command: string
  args: string[]
  /** Added to the environment of this process. */
  env?: Record<string, string>
  cwd?: string
  /** Text that the child finds on descriptor 3, for what must not be in argv or the environment. */
  input?: string
  /** The child says on descriptor 4, in one line, that it is ready; `start()` waits for it. */
  readLine?: boolean
  /** Milliseconds that `start()` gives the child to be ready (10,000). */
  startTimeoutMs?: number
  /** Milliseconds between SIGTERM and SIGKILL (5,000). */
  stopGraceMs?: number
  /** Where standard output and error go, appended. Without it their end is kept in memory. */
  logFile?: string | null
  /** Told each line of standard error, where that goes to no file. */
  onErrorLine?: (line: string) => void
}

/** How long the last output of a child that has exited may take to arrive. */
const lastOutputMs = 500
/** How long the kernel may take to end a group after SIGKILL. */
const killMs = 10_000

/**
 * One child process, with everything that it starts.
 *
 * The child leads a process group of its own: a signal from the terminal does not reach it, a signal from here reaches
 * its children too. Its standard input is a pipe that stays open as long as this process lives: a child that ends when
 * it closes, as our own programs do, does not outlive us even when we are killed with SIGKILL. In every other way out
 * (`stop()`, the end of this process, the end of the child itself) the whole group is killed.
 */
export class ProcessService implements Service {
  readonly name: string
  readonly #options: ProcessServiceOptions
  readonly #log = new LogTail()
  readonly #exitHandlers: ((exit: Exit) => void)[] = []
  readonly #announcement = new Deferred<string>()
  /** The child itself has exited. */
  readonly #left = new Deferred<Exit>()
  /** Its whole group is gone and its output is here. */
  readonly #gone = new Deferred<Exit>()
  #state: 'new' | 'running' | 'exited' = 'new'
  #child: ChildProcess | null = null
  #exit: Exit | null = null
  #stopping: Promise<void> | null = null

  constructor(options: ProcessServiceOptions) {
    this.name = options.name
    this.#options = options
  }

  get running(): boolean {
    return this.#state === 'running'
  }

  /** Also the number of its process group; null before the start. */
  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  /** @throws ServiceStartError with the end of the log; nothing is left of the child then. */
  async start(): Promise<void> {
    if (this.#state !== 'new') {
      throw new ClusterError(
        'CLUSTER_MISUSE',
        `${this.name} was started or stopped before; make a new service`,
      )
    }
    this.#state = 'running'
    try {
      await this.#spawn()
      if (this.#options.readLine) await this.announced(this.#options.startTimeoutMs ?? 10_000)
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /**
   * The line that the child wrote to descriptor 4.
   *
   * @throws ServiceStartError when it has exited without one, or does not write one within `timeoutMs`; what has come
   * during a standstill of this process is read first
   */
  async announced(timeoutMs: number): Promise<string> {
    if (!this.#options.readLine) {
      throw new ClusterError(
        'CLUSTER_MISUSE',
        `${this.name} has no announcement; construct it with readLine: true`,
      )
    }
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const reason = `it did not say within ${timeoutMs} ms that it is ready.`
        setImmediate(() => reject(this.#startError('CLUSTER_NOT_READY', reason)))
      }, timeoutMs)
    })
    try {
      return await Promise.race([this.#announcement.promise, late])
    } finally {
      clearTimeout(timer)
    }
  }

  wait(): Promise<Exit> {
    return this.#gone.promise
  }

  /** Calls back when the child exits, or soon if it has. Earlier than {@link wait}, which also waits for its group. */
  onExit(handler: (exit: Exit) => void): void {
    const exit = this.#exit
    if (exit === null) this.#exitHandlers.push(handler)
    else queueMicrotask(() => handler(exit))
  }

  /** Sends a signal to the child and all that it started. False when it does not run. */
  signal(name: NodeJS.Signals): boolean {
    const pid = this.pid
    return this.running && pid !== null && signalGroup(pid, name)
  }

  /** The last lines of its output. */
  logTail(): string {
    return this.#options.logFile ? tailOfFile(this.#options.logFile) : this.#log.toString()
  }

  /** @throws ServiceStopError when something survives SIGKILL. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const pid = this.pid
    if (this.#state === 'new' || pid === null) {
      if (this.#state === 'new') this.#end({ code: null, signal: null })
      return
    }
    if (this.#state === 'running') {
      const deadline = performance.now() + (this.#options.stopGraceMs ?? 5_000)
      signalGroup(pid, 'SIGTERM')
      // A stopped process would only see SIGTERM when somebody continues it.
      signalGroup(pid, 'SIGCONT')
      await settledWithin(this.#left.promise, deadline - performance.now())
      if (!(await groupGone(pid, deadline - performance.now()))) signalGroup(pid, 'SIGKILL')
    }
    if (!(await settledWithin(this.#gone.promise, killMs))) throw new ServiceStopError(this.name, pid)
  }

  async #spawn(): Promise<void> {
    const { command, args, cwd, env, input, logFile } = this.#options
    const opened: number[] = []
    const keep = (descriptor: number) => {
      opened.push(descriptor)
      return descriptor
    }
    try {
      const output = logFile ? keep(openLog(logFile)) : ('pipe' as const)
      const stdio: StdioOptions = ['pipe', output, output]
      if (input !== undefined) stdio[3] = keep(openHiddenInput(input))
      if (this.#options.readLine) {
        stdio[3] ??= 'ignore'
        stdio[4] = 'pipe'
      }
      const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio, detached: true })
      this.#child = child
      this.#listen(child)
      await once(child, 'spawn')
    } catch (error) {
      this.#end({ code: null, signal: null })
      throw this.#startError('CLUSTER_CANNOT_START', explainSpawn(error, this.#options), error)
    } finally {
      for (const descriptor of opened) closeSync(descriptor)
    }
  }

  #listen(child: ChildProcess): void {
    if (child.pid !== undefined) guardGroup(child.pid)
    // Without a reader a broken pipe is nothing: the exit tells what happened.
    child.stdin?.on('error', () => {})
    for (const output of [child.stdout, child.stderr]) {
      output?.on('data', (chunk: Buffer) => this.#log.add(chunk))
      output?.on('error', () => {})
    }
    const { onErrorLine } = this.#options
    if (onErrorLine !== undefined && child.stderr !== null)
      createInterface({ input: child.stderr, crlfDelay: Infinity }).on('line', onErrorLine)
    const announcements = child.stdio[4] as Readable | null | undefined
    if (announcements) onFirstLine(announcements, (line) => this.#announcement.resolve(line))
    const outputClosed = new Promise((resolve) => child.once('close', resolve))
    child.once('exit', (code, signal) => {
      const exit = { code, signal }
      this.#state = 'exited'
      this.#exit = exit
      this.#left.resolve(exit)
      for (const handler of this.#exitHandlers) queueMicrotask(() => handler(exit))
      void this.#afterExit(child.pid!, exit, outputClosed)
    })
  }

  async #afterExit(group: number, exit: Exit, outputClosed: Promise<unknown>): Promise<void> {
    // While it is being stopped, the rest of its group has what is left of the grace.
    if (this.#stopping === null) signalGroup(group, 'SIGKILL')
    await settledWithin(outputClosed, lastOutputMs)
    if (await groupGone(group, (this.#options.stopGraceMs ?? 5_000) + killMs)) unguardGroup(group)
    this.#end(exit)
  }

  #end(exit: Exit): void {
    this.#state = 'exited'
    this.#exit = exit
    const reason = `it ended with ${describeExit(exit)} before it was ready.`
    this.#announcement.reject(this.#startError('CLUSTER_EXITED_EARLY', reason))
    this.#left.resolve(exit)
    this.#gone.resolve(exit)
  }

  #startError(
    code: 'CLUSTER_CANNOT_START' | 'CLUSTER_EXITED_EARLY' | 'CLUSTER_NOT_READY',
    reason: string,
    cause?: unknown,
  ) {
    return new ServiceStartError(
      code,
      this.name,
      reason,
      this.logTail(),
      cause === undefined ? {} : { cause },
    )
  }
}

function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true })
  return openSync(file, 'a', 0o600)
}

/** Node says ENOENT of the program also when the working directory is the thing that is missing. */
function explainSpawn(error: unknown, options: ProcessServiceOptions): string {
  const { command, cwd } = options
  const code = (error as NodeJS.ErrnoException).code
  if (cwd !== undefined && !existsSync(cwd)) return `its working directory ${cwd} does not exist.`
  if (code === 'ENOENT') return `there is no program ${command}; install it or correct PATH.`
  if (code === 'EACCES') return `${command} may not be executed; check its permissions.`
  return `${command}: ${(error as Error).message}.`
}

/** True when the promise settles in time. What has come during a standstill of this process is read first. */
async function settledWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => setImmediate(() => resolve(false)), Math.max(0, timeoutMs))
  })
  const settled = promise.then(
    () => true,
    () => true,
  )
  try {
    return await Promise.race([settled, late])
  } finally {
    clearTimeout(timer)
  }
}
