import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pointLatestAt, writeAtomically } from '@loads-runner/history'
import { EventLogWriter } from '@loads-runner/protocol'
import { RunnerError } from './errors.ts'
import { jsonText, writeJson } from './write-json.ts'

/** How often another process may take our number before we give up. */
const mostAttempts = 10_000

/**
 * `results/<date>--<number>/`: what a run leaves behind. A disk that fails is said once and does not stop the run; only
 * a summary that cannot be written is an error.
 */
export class RunDirectory {
  readonly path: string
  readonly #warn: (text: string) => void
  #log: EventLogWriter | null = null
  #writing: Promise<void> = Promise.resolve()
  #broken = false

  /**
   * Makes the next directory of the day. Two runs that start at once get two.
   *
   * @throws {RunnerError} RUNNER_RESULTS when it cannot be made
   */
  static async create(
    results: string,
    warn: (text: string) => void,
    today = new Date(),
  ): Promise<RunDirectory> {
    const root = resolve(results)
    try {
      await makeDirectory(root)
      return new RunDirectory(await nextDirectory(root, dateOf(today)), warn)
    } catch (error) {
      const text = `cannot make a run directory in ${root}: ${(error as Error).message}; choose another with --results`
      throw new RunnerError('RUNNER_RESULTS', text, undefined, error)
    }
  }

  private constructor(path: string, warn: (text: string) => void) {
    this.path = path
    this.#warn = warn
  }

  /** The run exists from now on: its events are kept, and `latest` is this directory. */
  async begin(): Promise<void> {
    await this.#guard(async () => {
      this.#log = await EventLogWriter.open(join(this.path, 'events'), { sync: false })
      await pointLatestAt(this.path)
    })
  }

  /** Appends an event, in order, without making the caller wait for the disk. */
  append(event: object): void {
    if (this.#broken) return
    this.#writing = this.#writing.then(() => this.#guard(async () => this.#log?.append(event)))
  }

  /** The plan as run, versions, seed, hosts: no secret. May be written again when more is known. */
  async writeRun(description: object): Promise<void> {
    await this.#guard(() => writeAtomically(join(this.path, 'run.json'), jsonText(description)))
  }

  /** @throws {RunnerError} RUNNER_RESULTS when it cannot be written */
  async writeSummary(summary: object): Promise<void> {
    await writeJson(join(this.path, 'summary.json'), summary)
  }

  /** Where the log of a broker of our own goes. */
  get brokerLog(): string {
    return join(this.path, 'broker.log')
  }

  /** Where an agent's log goes. */
  logOf(id: string): string {
    return join(this.path, 'agents', id.replaceAll(/[^\w.-]|^\.+/g, '_'), 'log')
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#guard(async () => this.#log?.close())
    this.#log = null
  }

  /** Removes it again: there was no run. */
  async discard(): Promise<void> {
    await this.close()
    await rm(this.path, { recursive: true, force: true }).catch(() => {})
  }

  async #guard(write: () => Promise<void>): Promise<void> {
    if (this.#broken) return
    try {
      await write()
    } catch (error) {
      this.#broken = true
      this.#warn(
        `warning: cannot write to ${this.path}: ${(error as Error).message}; the run goes on without a record`,
      )
    }
  }
}

/** With the directories above it. Not `recursive`: where nothing can be made (/proc) Node tries that for ever. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const there = await stat(path).catch(() => null)
    if (there?.isDirectory() === true) return
    const above = dirname(path)
    if (code !== 'ENOENT' || above === path || (await stat(above).catch(() => null)) !== null) throw error
    await makeDirectory(above)
    await makeDirectory(path)
  }
}

/** One more than the highest number of the day; the one who makes the directory has it. */
async function nextDirectory(root: string, date: string): Promise<string> {
  const taken = (await readdir(root)).map((name) => new RegExp(`^${date}--(\\d+)$`).exec(name)?.[1] ?? '0')
  let number = Math.max(0, ...taken.map(Number)) + 1
  for (let attempt = 0; attempt < mostAttempts; attempt++, number++) {
    const path = join(root, `${date}--${number}`)
    try {
      await mkdir(path)
      return path
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  throw new Error(`no free number for ${date}`)
}

function dateOf(date: Date): string {
  const pad = (value: number) => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
}
