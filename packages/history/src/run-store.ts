import { readdir, realpath, stat } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { nearestNames } from '@loads-runner/metrics'
import { HistoryError } from './errors.ts'
import { kindOf } from './recording.ts'
import { matches, type RunFilter } from './run-filter.ts'
import { eventsOf, markOf, type RunKind } from './run-files.ts'
import { prune, type PruneRequest, type Pruned } from './prune.ts'
import { readStoredRun, stampOf, type StoredRun } from './stored-run.ts'

/** Runs whose files are read at once. */
const readAtOnce = 32
/** Rows that are remembered until their files change. */
const mostRemembered = 20_000
/** Names that an error shows. */
const mostNear = 5

/** Runs on disk, in any number of results directories and `runs` directories of brokers. Nothing is kept open. */
export class RunStore {
  readonly roots: readonly string[]
  readonly #remembered = new Map<string, { stamp: string; run: StoredRun }>()

  /** @param roots results directories, or `runs` in state directories of brokers; one that is not there is empty */
  constructor(roots: readonly string[]) {
    this.roots = roots.map((root) => resolve(root))
  }

  /** Newest first. Reads what describes a run and its summary, never its events. */
  async list(filter: RunFilter & { limit?: number } = {}): Promise<StoredRun[]> {
    const { limit = Infinity } = filter
    const found: StoredRun[] = []
    let enough = false
    for (const places of byDay(await this.#places())) {
      for (let at = 0; at < places.length; at += readAtOnce) {
        const read = places.slice(at, at + readAtOnce).map((place) => this.#read(place))
        for (const run of await Promise.all(read)) if (run !== null && matches(run, filter)) found.push(run)
      }
      // One day more: a run may begin on the day after its directory was made.
      if (enough) break
      enough = found.length >= limit
    }
    return uniqueRuns(found.sort(newestFirst)).slice(0, limit)
  }

  /**
   * Finds a run by its path, the name of its directory, its id or the beginning of it, or by `latest` and `last-passed`.
   *
   * @param filter of what `latest` and `last-passed` may be
   * @throws {HistoryError} HISTORY_NO_RUN with what is near, HISTORY_AMBIGUOUS with what it may mean
   */
  async find(name: string, filter: RunFilter = {}): Promise<StoredRun> {
    if (name === 'latest' || name === 'last-passed') return this.#newest(name, filter)
    const byPath = await this.#byPath(name)
    if (byPath !== null) return byPath
    const all = await this.list()
    const exact = all.find((run) => run.runId === name)
    if (exact !== undefined) return exact
    const begin = name === '' ? [] : all.filter((run) => run.runId.startsWith(name))
    if (begin.length === 1) return begin[0]!
    if (begin.length > 1) {
      const ids = begin.slice(0, mostNear).map((run) => `${run.runId} (${run.name})`)
      const rest = begin.length > ids.length ? ` and ${begin.length - ids.length} more` : ''
      throw new HistoryError(
        'HISTORY_AMBIGUOUS',
        `${name} may be ${ids.join(', ')}${rest}: write more of the id`,
      )
    }
    throw this.#notFound(name, all)
  }

  /**
   * Removes run directories. Never: one that is being written, the newest passed run of a project (unless asked),
   * anything that is no run directory, and the journals of brokers.
   *
   * @throws {HistoryError} HISTORY_PRUNE when the request does not say which
   */
  async prune(request: PruneRequest): Promise<Pruned> {
    const all = await this.list()
    const pruned = await prune(this.roots, all, request)
    if (request.dryRun !== true) for (const { path } of pruned.removed) this.#remembered.delete(path)
    return pruned
  }

  async #newest(name: string, filter: RunFilter): Promise<StoredRun> {
    const [run] = await this.list({
      ...filter,
      ...(name === 'last-passed' ? { verdict: 'passed' } : {}),
      limit: 1,
    })
    if (run !== undefined) return run
    const what = name === 'latest' ? 'run' : 'passed run'
    const of = [
      ...(typeof filter.project === 'string' ? [`project ${filter.project}`] : []),
      ...(filter.names === undefined ? [] : [filter.names.join(', ')]),
    ]
    const where = this.roots.join(', ')
    throw new HistoryError(
      'HISTORY_NO_RUN',
      `there is no ${what}${of.length === 0 ? '' : ` of ${of.join(' and ')}`} in ${where}`,
    )
  }

  async #byPath(name: string): Promise<StoredRun | null> {
    if (name === '') return null
    const isName = !name.includes('/') && !name.includes(sep) && name !== '.' && name !== '..'
    const places = [...(isName ? this.roots.map((root) => join(root, name)) : []), resolve(name)]
    for (const place of places) {
      const kind = await kindOf(place)
      // By its own name, where it is a link to one.
      if (kind !== null) return this.#read({ path: await realpath(place), kind, day: '' })
    }
    return null
  }

  #notFound(name: string, all: readonly StoredRun[]): HistoryError {
    const where = this.roots.join(', ')
    if (all.length === 0)
      return new HistoryError('HISTORY_NO_RUN', `there is no run ${name}: ${where} holds no runs`)
    const near = nearestNames(name, new Set(all.flatMap((run) => [run.name, run.runId])))
    const newest = all.slice(0, mostNear).map((run) => run.name)
    const hint =
      near.length > 0 ? `did you mean ${near.join(' or ')}?` : `the newest are ${newest.join(', ')}`
    return new HistoryError('HISTORY_NO_RUN', `there is no run ${name} in ${where}: ${hint}`)
  }

  /** Directories that hold a run. */
  async #places(): Promise<Place[]> {
    const places: Place[] = []
    for (const root of new Set(this.roots)) {
      const entries = await readdir(root, { withFileTypes: true }).catch(() => [])
      // Links (`latest`) lead to what is here already, or out of the store.
      const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      for (let at = 0; at < names.length; at += readAtOnce) {
        const read = names.slice(at, at + readAtOnce).map(({ name }) => placeOf(join(root, name), name))
        for (const place of await Promise.all(read)) if (place !== null) places.push(place)
      }
    }
    return places
  }

  /** Null when it is gone by now. */
  async #read({ path, kind }: Place): Promise<StoredRun | null> {
    const files = kind === 'journal' ? [eventsOf.journal] : [markOf[kind], 'summary.json', eventsOf[kind]]
    const stamp = (await Promise.all(files.map((file) => stampOf(join(path, file))))).join(' ')
    const known = this.#remembered.get(path)
    if (known?.stamp === stamp) return known.run
    const run = await readStoredRun(path, kind).catch(() => null)
    if (run === null) return null
    if (this.#remembered.size >= mostRemembered) this.#remembered.clear()
    this.#remembered.set(path, { stamp, run })
    return run
  }
}

interface Place {
  path: string
  kind: RunKind
  /** The day of the run, as its directory says: `2026-11-21`. */
  day: string
}

async function placeOf(path: string, name: string): Promise<Place | null> {
  const kind = await kindOf(path)
  if (kind === null) return null
  const day = /^(\d{4}-\d{2}-\d{2})--\d+$/.exec(name)?.[1]
  return { path, kind, day: day ?? (await dayOf(join(path, markOf[kind]))) }
}

async function dayOf(file: string): Promise<string> {
  const info = await stat(file).catch(() => null)
  return new Date(info?.mtimeMs ?? 0).toISOString().slice(0, 10)
}

/** Newest day first. */
function byDay(places: readonly Place[]): Place[][] {
  const days = new Map<string, Place[]>()
  for (const place of places) {
    const own = days.get(place.day)
    if (own === undefined) days.set(place.day, [place])
    else own.push(place)
  }
  return [...days].sort(([one], [other]) => (one < other ? 1 : -1)).map(([, own]) => own)
}

function newestFirst(one: StoredRun, other: StoredRun): number {
  if (one.startedAt !== other.startedAt) return other.startedAt - one.startedAt
  // Of runs of one moment, the one with the higher number.
  return other.name.localeCompare(one.name, 'en', { numeric: true })
}

/** A run that both a console and a broker have kept is one run: the console's, which has more. */
function uniqueRuns(runs: readonly StoredRun[]): StoredRun[] {
  const byId = new Map<string, StoredRun>()
  for (const run of runs) {
    const key = run.runId === '' ? run.path : run.runId
    const known = byId.get(key)
    if (known === undefined || (known.kind === 'journal' && run.kind === 'run-directory')) byId.set(key, run)
  }
  const kept = new Set(byId.values())
  return runs.filter((run) => kept.has(run))
}
