import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, symlink } from 'node:fs/promises'
import { constants } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Summary } from '@loads-runner/metrics'
import { writeFiles } from './files.ts'
import { assertNoneLeft, killMarked, killMarkedNow, markVariable } from './processes.ts'
import { cleanUpAfterTest, temporaryDirectory } from './temporary.ts'

const packageDirectory = fileURLToPath(new URL('../../packages/loads-runner', import.meta.url))

/** Marks of tests that have not been cleaned up: when mocha itself is ended, they are now. */
const unfinished = new Set<string>()
process.once('exit', () => {
  for (const mark of unfinished) killMarkedNow(mark)
})
for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]))
}

export type BinaryName = 'loads' | 'loads-runner' | 'loads-broker' | 'loads-agent' | 'loads-proxy'

export interface CliOptions {
  /** Which program; `loads-runner` unless told. */
  binary?: BinaryName
  /** Another Node program instead: the path of its script. */
  script?: string
  /** Starts it elsewhere than on this machine itself, such as in a network namespace: what to start instead of a command. */
  at?: (command: string, ...args: readonly string[]) => { command: string; args: string[] }
  /** Files to write into the working directory first, by relative path. */
  files?: Readonly<Record<string, string>>
  /** Working directory; a new temporary one unless told. */
  cwd?: string
  /** Added to the environment; undefined removes. */
  env?: Readonly<Record<string, string | undefined>>
  /** Standard input: a text (then its end), or 'open' to keep it open for `write`. Closed from the start unless told. */
  input?: string
  /** After this the program and all that it started are killed, and the result is an error. */
  timeoutMs?: number
  /** Sends a signal as soon as a line of the output matches. */
  signalAfter?: { line: RegExp; signal: NodeJS.Signals }
  /** False: do not add `--json FILE`, so that there is no `summary`. */
  json?: boolean
  /** Processes may stay after the program has ended. Unless told, that is an error. */
  mayLeaveProcesses?: boolean
  /** What it leaves must have ended by itself after so long. */
  outliveMs?: number
}

export interface CliResult {
  /** 128 + number when it was ended by a signal. */
  exitCode: number
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  /** What `--json` wrote; null when it wrote nothing. */
  summary: Summary | null
  directory: string
}

/** Runs a real binary to its end. Bounded in time; nothing that it starts survives the test. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const cli = await startCli(args, options)
  return cli.result
}

/** Starts a real binary that is to be watched, signalled or killed. */
export async function startCli(args: readonly string[], options: CliOptions = {}): Promise<RunningCli> {
  const directory = options.cwd ?? (await temporaryDirectory())
  await writeFiles(directory, options.files ?? {})
  await makeOurPackageResolvable(directory)
  const binary = options.binary ?? 'loads-runner'
  const script = options.script ?? join(packageDirectory, 'bin', `${binary}.js`)
  const wantsSummary =
    script.endsWith('loads-runner.js') && options.json !== false && !args.includes('--json')
  const summaryFile = wantsSummary ? join(directory, `summary-${randomUUID()}.json`) : null
  const allArgs = summaryFile === null ? args : [...args, '--json', summaryFile]
  const cli = new RunningCli(script, allArgs, directory, summaryFile, options)
  cleanUpAfterTest(() => cli.destroy())
  return cli
}

export class RunningCli {
  readonly pid: number
  /** Of this program and all that it starts, see `processesMarked`. */
  readonly mark = randomUUID()
  readonly directory: string
  /** Rejects when it takes too long or leaves processes behind. */
  readonly result: Promise<CliResult>
  readonly #child: ChildProcess
  readonly #title: string
  readonly #waiting = new Set<{ line: RegExp; found: (match: RegExpMatchArray) => void }>()
  #stdout = ''
  #stderr = ''
  #ended = false

  constructor(
    script: string,
    args: readonly string[],
    directory: string,
    summaryFile: string | null,
    options: CliOptions,
  ) {
    this.directory = directory
    this.#title = [basename(script), ...args].join(' ')
    const whole = [script, ...args]
    const { command, args: commandArgs } = options.at?.(process.execPath, ...whole) ?? {
      command: process.execPath,
      args: whole,
    }
    this.#child = spawn(command, commandArgs, {
      cwd: directory,
      env: { ...cleanEnvironment(), [markVariable]: this.mark, ...options.env },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      // A group of its own: what a test does to it never reaches mocha, and the other way round.
      detached: true,
    })
    this.pid = this.#child.pid ?? -1
    unfinished.add(this.mark)
    this.#child.stdin?.on('error', () => {})
    if (options.input !== undefined && options.input !== 'open') this.#child.stdin?.end(options.input)
    this.#readLines()
    this.result = this.#finish(summaryFile, options)
    // Whoever waits for it sees the error; a test that has failed before must not fail once more.
    this.result.catch(() => {})
    if (options.signalAfter) {
      const { line, signal } = options.signalAfter
      this.#waiting.add({ line, found: () => this.kill(signal) })
    }
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Resolves at the first line of either output that matches, past lines included. */
  waitForLine(line: RegExp, timeoutMs = 40_000): Promise<RegExpMatchArray> {
    // The beginning of a line may match something else than all of it.
    const past = [this.#stdout, this.#stderr].map((text) =>
      this.#ended ? text : text.slice(0, text.lastIndexOf('\n') + 1),
    )
    for (const text of past.join('\n').split('\n')) {
      const match = line.exec(text)
      if (match) return Promise.resolve(match)
    }
    return new Promise((resolve, reject) => {
      const waiter = { line, found: (match: RegExpMatchArray) => settle(() => resolve(match)) }
      const fail = (why: string) => settle(() => reject(this.#error(`no line like ${line} ${why}`)))
      const timer = setTimeout(() => fail(`within ${timeoutMs} ms`), timeoutMs)
      const onClose = () => fail('before it ended')
      const settle = (act: () => void) => {
        clearTimeout(timer)
        this.#waiting.delete(waiter)
        this.#child.off('close', onClose)
        act()
      }
      this.#waiting.add(waiter)
      if (this.#ended) onClose()
      else this.#child.once('close', onClose)
    })
  }

  /** Sends a signal to the program alone, not to what it started. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Closes our end of its standard output and error, as `| head -1` does. */
  closeOutput(): void {
    this.#child.stdout?.destroy()
    this.#child.stderr?.destroy()
  }

  write(text: string): void {
    this.#child.stdin?.write(text)
  }

  closeInput(): void {
    this.#child.stdin?.end()
  }

  /** Ends it and all that it started, however it feels about it. */
  async destroy(): Promise<void> {
    this.#child.kill('SIGKILL')
    await killMarked(this.mark)
    unfinished.delete(this.mark)
  }

  #readLines(): void {
    for (const name of ['stdout', 'stderr'] as const) {
      let rest = ''
      this.#child[name]?.setEncoding('utf8').on('data', (text: string) => {
        if (name === 'stdout') this.#stdout += text
        else this.#stderr += text
        const lines = (rest + text).split('\n')
        rest = lines.pop()!
        for (const line of lines) this.#offer(line)
      })
    }
  }

  #offer(text: string): void {
    for (const waiter of this.#waiting) {
      const match = waiter.line.exec(text)
      if (!match) continue
      this.#waiting.delete(waiter)
      waiter.found(match)
    }
  }

  async #finish(summaryFile: string | null, options: CliOptions): Promise<CliResult> {
    const timeoutMs = options.timeoutMs ?? 60_000
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      void this.destroy()
    }, timeoutMs)
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (...exit) => resolve(exit))
    }).finally(() => {
      this.#ended = true
      clearTimeout(timer)
    })
    if (timedOut) throw this.#error(`did not end within ${timeoutMs} ms`)
    if (options.mayLeaveProcesses !== true) {
      await assertNoneLeft(this.mark, options.outliveMs).catch((error: Error) => {
        throw this.#error(error.message)
      })
    }
    return {
      exitCode: code ?? 128 + constants.signals[signal!],
      signal,
      stdout: this.#stdout,
      stderr: this.#stderr,
      summary: summaryFile === null ? null : await readSummary(summaryFile),
      directory: this.directory,
    }
  }

  #error(problem: string): Error {
    const end = (text: string) => text.slice(-4_000) || '(nothing)'
    return new Error(
      `${this.#title}\n${problem}\n--- its output:\n${end(this.#stdout)}\n--- its errors:\n${end(this.#stderr)}`,
    )
  }
}

/** Our environment without what would change how the program behaves. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const env = Object.entries(process.env).filter(
    ([name]) => !/^(LOADS_|npm_|FORCE_COLOR$|NODE_OPTIONS$)/.test(name),
  )
  return Object.fromEntries(env)
}

/** Test files may import 'loads-runner' from anywhere, editors and other runners included. */
async function makeOurPackageResolvable(directory: string): Promise<void> {
  const modules = join(directory, 'node_modules')
  await mkdir(modules, { recursive: true })
  await symlink(packageDirectory, join(modules, 'loads-runner')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

async function readSummary(file: string): Promise<Summary | null> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text === '' ? null : (JSON.parse(text) as Summary)
}
