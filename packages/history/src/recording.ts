import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Delta, DeltaEncoder } from '@loads-runner/metrics'
import type { Summary } from '@loads-runner/metrics'
import { codec, ProtocolError, readEventLog, runEventSchema, runSpecSchema } from '@loads-runner/protocol'
import type { RunEvent, RunSpec, SnapshotEvent } from '@loads-runner/protocol'
import { isFields, withEventDefaults, withSpecDefaults } from './defaults.ts'
import { HistoryError } from './errors.ts'
import { eventsOf, markOf, readFields, readFirstRecord, readSummary, type RunKind } from './run-files.ts'

/** Where the tests of a run came from: enough to bundle them again. */
export interface TestSource {
  /** Absolute, on the machine that started the run. */
  testDir: string
  includeFile: readonly string[]
  external: readonly string[]
}

/** A run on disk. */
export interface Recording {
  readonly runId: string
  /** Of its directory; absolute. */
  readonly path: string
  readonly kind: RunKind
  /** Without the values of secrets. */
  readonly spec: RunSpec
  /** Null in a broker's journal. */
  readonly source: TestSource | null
  /** Null when the run did not come to its end, or nobody saw it: a `kill -9`. */
  readonly summary: Summary | null
  /** Records that the last reading left out, since a later version of Loads wrote them. */
  readonly unknownRecords: number
  /**
   * Its events in order, the snapshot first; each call reads anew. A record torn by a crash is left out.
   *
   * @throws {HistoryError} while they are read: HISTORY_DAMAGED, with file and line; what was before it is given.
   *   HISTORY_NOT_A_RUN where there are none.
   */
  events(): AsyncIterable<RunEvent>
}

/** Types of records that are events. */
const eventTypes = new Set<unknown>([
  'snapshot',
  'state',
  'thresholds',
  'control',
  'note',
  'fault',
  'observation',
  'agent',
  'commit',
  'log',
  'finished',
] satisfies RunEvent['type'][])

/** Types of records that a broker writes for itself. */
const journalTypes = new Set<unknown>(['submitted', 'members', 'moved'])

/**
 * Opens a run directory or the journal of a broker. Runs of earlier versions can be read; what was not recorded then
 * stands at 0 or is empty.
 *
 * @throws {HistoryError} HISTORY_NOT_A_RUN, HISTORY_DAMAGED
 */
export async function openRecording(path: string): Promise<Recording> {
  const directory = resolve(path)
  const kind = await kindOf(directory)
  if (kind === null)
    throw new HistoryError(
      'HISTORY_NOT_A_RUN',
      `${directory} is no run: it holds neither a run.json nor a journal. Name a directory such as results/latest.`,
    )
  const description = kind === 'journal' ? await readSubmitted(directory) : await readDescription(directory)
  return new FileRecording(directory, kind, description, await readSummary(directory, kind))
}

/** What lies in a directory; null when it is no run. */
export async function kindOf(directory: string): Promise<RunKind | null> {
  for (const kind of ['run-directory', 'journal'] as const) {
    const info = await stat(join(directory, markOf[kind])).catch(() => null)
    if (info?.isFile() === true) return kind
  }
  return null
}

interface Description {
  runId: string
  spec: RunSpec
  source: TestSource | null
  /** Epoch milliseconds, of a journal. */
  submittedAt: number
}

async function readDescription(directory: string): Promise<Description> {
  const file = join(directory, 'run.json')
  const { runId, spec, source } = (await readFields(file)) ?? {}
  return { ...describe(file, runId, spec), source: isSource(source) ? source : null, submittedAt: 0 }
}

async function readSubmitted(directory: string): Promise<Description> {
  const file = join(directory, 'journal')
  const first = await readFirstRecord(file).catch((error: unknown) => {
    throw asDamage(error)
  })
  if (first?.type !== 'submitted')
    throw new HistoryError('HISTORY_DAMAGED', `${file} is damaged: it does not begin with what was submitted`)
  const { runId, spec, at } = first
  return { ...describe(file, runId, spec), source: null, submittedAt: typeof at === 'number' ? at : 0 }
}

function describe(file: string, runId: unknown, spec: unknown): Pick<Description, 'runId' | 'spec'> {
  try {
    if (typeof runId !== 'string') throw new Error('it does not say which run it is')
    return { runId, spec: codec.validate(runSpecSchema, withSpecDefaults(spec)) }
  } catch (error) {
    throw new HistoryError('HISTORY_DAMAGED', `${file} cannot be used: ${(error as Error).message}`)
  }
}

class FileRecording implements Recording {
  readonly path: string
  readonly kind: RunKind
  readonly runId: string
  readonly spec: RunSpec
  readonly source: TestSource | null
  readonly summary: Summary | null
  unknownRecords = 0
  readonly #submittedAt: number

  constructor(path: string, kind: RunKind, description: Description, summary: Summary | null) {
    this.path = path
    this.kind = kind
    this.runId = description.runId
    this.spec = description.spec
    this.source = description.source
    this.#submittedAt = description.submittedAt
    this.summary = summary
  }

  async *events(): AsyncIterable<RunEvent> {
    this.unknownRecords = 0
    const file = join(this.path, eventsOf[this.kind])
    if (this.kind === 'journal') yield this.#snapshot()
    let isFirst = this.kind !== 'journal'
    let line = 0
    try {
      for await (const record of readEventLog(file)) {
        line++
        const event = this.#eventOf(file, line, record)
        if (event === null) continue
        if (isFirst && event.type !== 'snapshot') throw damage(file, line, 'a stream begins with a snapshot')
        isFirst = false
        yield event
      }
    } catch (error) {
      throw asDamage(error)
    }
  }

  /** Null: it is no event. */
  #eventOf(file: string, line: number, record: unknown): RunEvent | null {
    if (!isFields(record) || typeof record.type !== 'string') throw damage(file, line, 'it has no type')
    if (!eventTypes.has(record.type)) {
      if (this.kind !== 'journal' || !journalTypes.has(record.type)) this.unknownRecords++
      return null
    }
    try {
      return codec.validate(runEventSchema, withEventDefaults(record))
    } catch (error) {
      throw damage(file, line, `no valid ${record.type}: ${(error as Error).message}`)
    }
  }

  /** What a reader would have been told when the run was submitted. */
  #snapshot(): SnapshotEvent {
    return {
      type: 'snapshot',
      at: this.#submittedAt,
      runId: this.runId,
      state: 'queued',
      spec: this.spec,
      startedAt: null,
      elapsedMs: 0,
      stage: 0,
      agents: [],
      activeUsers: 0,
      started: 0,
      finished: 0,
      interrupted: 0,
      planned: 0,
      dropped: 0,
      thresholds: [],
      annotations: [],
      delta: new DeltaEncoder().encodeFull(new Delta()),
    }
  }
}

function damage(file: string, line: number, why: string): HistoryError {
  return new HistoryError(
    'HISTORY_DAMAGED',
    `${file}, line ${line}, cannot be read: ${why}. The file was damaged or edited; the lines before it are good.`,
  )
}

function asDamage(error: unknown): unknown {
  if (error instanceof ProtocolError && error.code === 'EVENT_LOG_CORRUPT')
    return new HistoryError('HISTORY_DAMAGED', error.message, { cause: error })
  if ((error as NodeJS.ErrnoException).code === 'ENOENT')
    return new HistoryError(
      'HISTORY_NOT_A_RUN',
      `the events of this run were not kept: ${(error as NodeJS.ErrnoException).path} is not there`,
      { cause: error },
    )
  return error
}

function isSource(value: unknown): value is TestSource {
  if (!isFields(value)) return false
  const { testDir, includeFile, external } = value
  return typeof testDir === 'string' && Array.isArray(includeFile) && Array.isArray(external)
}
