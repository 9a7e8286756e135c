import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { EventLogWriter } from '@loads-runner/protocol'
import { messageOf } from './errors.ts'

/**
 * Everything that happened to one run, in order, on disk: enough to rebuild the run after a restart of the broker.
 * Records are run events as subscribers get them, plus `submitted`, `members` and `moved`; commits carry ledgers and
 * progress too.
 *
 * A disk that fails is reported once; from then on the run goes on without its journal.
 */
export interface Journal {
  /** Settles when the record is on disk (or never will be). Never rejects. */
  write(record: object): Promise<void>
  /** Settles when all that was written is on disk. */
  close(): Promise<void>
  /** False when `write` does nothing, so that callers need not wait for it. */
  readonly active: boolean
}

/** The journal of runs on a broker without a state directory. */
export const noJournal: Journal = {
  active: false,
  write: () => Promise.resolve(),
  close: () => Promise.resolve(),
}

/** Where the journals of a broker are: a directory for each run. */
export function runsDirectory(stateDir: string): string {
  return path.join(stateDir, 'runs')
}

export function journalFile(stateDir: string, runId: string): string {
  return path.join(runsDirectory(stateDir), runId, 'journal')
}

export function openJournal(
  stateDir: string | null,
  runId: string,
  onFailure: (reason: string) => void,
): Journal {
  return stateDir === null ? noJournal : new FileJournal(journalFile(stateDir, runId), onFailure)
}

class FileJournal implements Journal {
  readonly #onFailure: (reason: string) => void
  readonly #file: string
  readonly #writer: Promise<EventLogWriter | null>
  #failed = false
  #closing: Promise<void> | null = null

  constructor(file: string, onFailure: (reason: string) => void) {
    this.#onFailure = onFailure
    this.#file = file
    this.#writer = this.#open(path.dirname(file))
  }

  get active(): boolean {
    return !this.#failed
  }

  async write(record: object): Promise<void> {
    const writer = await this.#writer
    if (writer === null || this.#failed) return
    try {
      await writer.append(record)
    } catch (error) {
      this.#fail(error)
    }
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    const writer = await this.#writer
    try {
      await writer?.close()
    } catch (error) {
      this.#fail(error)
    }
  }

  async #open(directory: string): Promise<EventLogWriter | null> {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      return await EventLogWriter.open(this.#file, { sync: true })
    } catch (error) {
      this.#fail(error)
      return null
    }
  }

  #fail(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#onFailure(
      `the journal ${this.#file} cannot be written (${messageOf(error)}); the run goes on, but a restart of the ` +
        'broker would lose it',
    )
  }
}
