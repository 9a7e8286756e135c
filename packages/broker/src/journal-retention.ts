import { readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Clock } from './clock.ts'
import { messageOf } from './errors.ts'
import { journalFile, runsDirectory } from './journal.ts'
import type { Log } from './run-voice.ts'

/** How long journals of ended runs are kept; null: for ever. Where both say something, both hold. */
export interface KeepRuns {
  /** Days since the last record. */
  days: number | null
  /** So many of the latest. */
  runs: number | null
}

const dayMs = 24 * 60 * 60 * 1000
/** A journal that was written so lately may be that of another broker with this directory, in milliseconds. */
const freshMs = 10 * 60 * 1000
/** Names of runs: nothing else in that directory is ours to remove. */
const runName = /^\d{8}T\d{6}-[0-9a-f]{6}$/

interface StoredJournal {
  runId: string
  /** When its last record was written, in epoch milliseconds. */
  lastMs: number
}

export interface JournalRetentionOptions {
  stateDir: string
  keep: KeepRuns
  clock: Clock
  log: Log
  /** Of this broker's runs; unknown: it is not, or not any more, one of them. */
  stateOf: (runId: string) => 'active' | 'ended' | 'unknown'
}

/** Removes journals of ended runs that are older, or more, than asked for: the oldest first. */
export class JournalRetention {
  readonly #options: JournalRetentionOptions
  #pruning: Promise<void> = Promise.resolve()

  constructor(options: JournalRetentionOptions) {
    this.#options = options
  }

  /** Settles when it is done, after those asked for before. Never rejects: what cannot be removed stays, and is said. */
  prune(): Promise<void> {
    this.#pruning = this.#pruning.then(() => this.#prune())
    return this.#pruning
  }

  async #prune(): Promise<void> {
    const { stateDir, keep, clock, log } = this.#options
    if (keep.days === null && keep.runs === null) return
    try {
      const ended = (await this.#journals()).filter((journal) => this.#hasEnded(journal))
      const since = keep.days === null ? -Infinity : clock.now() - keep.days * dayMs
      const tooMany = keep.runs === null ? 0 : ended.length - keep.runs
      for (const [place, { runId, lastMs }] of ended.entries()) {
        if (place >= tooMany && lastMs >= since) continue
        await rm(path.join(runsDirectory(stateDir), runId), { recursive: true, force: true })
        log('debug', `run ${runId}: its journal was removed, as asked for by the limits`)
      }
    } catch (error) {
      log('warning', `journals beyond the limits could not be removed: ${messageOf(error)}`)
    }
  }

  #hasEnded({ runId, lastMs }: StoredJournal): boolean {
    const { clock, stateOf } = this.#options
    const state = stateOf(runId)
    return state === 'ended' || (state === 'unknown' && clock.now() - lastMs > freshMs)
  }

  /** Oldest first. */
  async #journals(): Promise<StoredJournal[]> {
    const { stateDir } = this.#options
    const names = await readdir(runsDirectory(stateDir)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    const journals: StoredJournal[] = []
    for (const runId of names.filter((name) => runName.test(name))) {
      const file = await stat(journalFile(stateDir, runId)).catch(() => null)
      // A broker that was killed may have left a directory without one.
      journals.push({ runId, lastMs: file?.mtimeMs ?? 0 })
    }
    return journals.sort((a, b) => a.lastMs - b.lastMs || (a.runId < b.runId ? -1 : 1))
  }
}
