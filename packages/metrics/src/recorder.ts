import type { Definition, ErrorDetail } from './definition.ts'
import { fingerprintOf, longestMessage } from './error-fingerprint.ts'
import { BlockWriter, createBlock } from './series-block.ts'
import { SeriesRoutes } from './series-routes.ts'
import { kindsInOrder } from './delta-format.ts'
import {
  admittedKinds,
  checkStatuses,
  overflowName,
  overflowOf,
  seriesId,
  type HitKind,
  type HitPhase,
  type SeriesKey,
  type SeriesKind,
} from './series.ts'
import { storedText } from './stored-text.ts'

export interface RecorderOptions {
  /** The run's limit of user-named series. One thread makes twice as many at most (memory bound), then overflows. */
  maxSeries: number
  /** Groups of errors of this thread; what comes after falls into one group `(other)`. Default 100. */
  maxErrorGroups?: number
  /** Called once per series, before anything is recorded in it. */
  define: (definition: Definition) => void
  /** Epoch milliseconds. */
  now?: () => number
}

type Tags = Readonly<Record<string, string>> | null

/** How an execution ended. */
export type ExecutionOutcome = 'success' | 'failure' | 'error' | 'interrupted'

/** Different raw messages whose group is remembered; others are folded each time. */
const rememberedMessages = 1000
const longestSample = 8000
const noTags: Readonly<Record<string, string>> = {}

/**
 * Records what one load thread sees, in shared memory. A hit of a known series allocates nothing and builds no string;
 * an unknown one costs about a microsecond. Memory is bounded by `maxSeries`, whatever names users invent.
 */
export class Recorder {
  readonly #options: Required<RecorderOptions>
  readonly #routes: Record<SeriesKind, SeriesRoutes>
  // A field besides the table: nearly all hits of nearly all runs.
  readonly #http: SeriesRoutes
  /** Every series of this thread by id. */
  readonly #writers = new Map<string, BlockWriter>()
  /** Ids that the run's catalogue holds, once it is full. */
  #admitted: ReadonlySet<string> | null = null
  #userSeries = 0
  /** Entries in routes of user-named kinds. */
  #routesTaken = 0
  #errorGroups = 0
  #messages = 0

  constructor(options: RecorderOptions) {
    this.#options = { maxErrorGroups: 100, now: Date.now, ...options }
    this.#routes = Object.fromEntries(kindsInOrder.map((kind) => [kind, new SeriesRoutes()])) as Record<
      SeriesKind,
      SeriesRoutes
    >
    this.#http = this.#routes.http
  }

  /** One request attempt, answered or not; `micros` is its service time. */
  hit(
    kind: HitKind,
    test: string,
    name: string,
    method: string,
    status: string,
    failed: boolean,
    micros: number,
    bytesIn: number,
    bytesOut: number,
    tags: Tags,
  ): void {
    const routes = kind === 'http' ? this.#http : this.#routes[kind]
    const writer =
      routes.find(test, name, method, status, tags) ?? this.#resolve(kind, test, name, method, status, tags)
    writer.time(micros, failed, bytesIn, bytesOut)
  }

  /** One ended execution of a test; `micros` is its duration. */
  execution(test: string, outcome: ExecutionOutcome, micros: number, tags: Tags): void {
    this.#series('execution', test, test, '', outcome, tags).time(micros, false, 0, 0)
  }

  /** One check that held or did not. */
  check(test: string, name: string, ok: boolean, tags: Tags): void {
    const status = ok ? checkStatuses.ok : checkStatuses.failed
    this.#series('check', test, name, '', status, tags).add(1)
  }

  /** Duration of a named step of an execution. */
  step(test: string, name: string, micros: number, tags: Tags): void {
    this.#series('step', test, name, '', '', tags).time(micros, false, 0, 0)
  }

  /** A part of the time of a hit of this name and method. */
  phase(test: string, name: string, method: string, phase: HitPhase, micros: number, tags: Tags): void {
    this.#series('phase', test, name, method, phase, tags).time(micros, false, 0, 0)
  }

  /** One ended execution of an open model; `micros` from its intended start to its end. */
  response(test: string, outcome: ExecutionOutcome, micros: number, tags: Tags): void {
    this.#series('response', test, test, '', outcome, tags).time(micros, false, 0, 0)
  }

  /** The first hit of an execution of an open model; `micros` from the execution's intended start to the hit's end. */
  hitResponse(test: string, name: string, method: string, status: string, micros: number, tags: Tags): void {
    this.#series('hit-response', test, name, method, status, tags).time(micros, false, 0, 0)
  }

  /** How long after its intended start an execution of an open model began. */
  lateness(test: string, micros: number, tags: Tags): void {
    this.#series('lateness', test, test, '', '', tags).time(micros, false, 0, 0)
  }

  /** Counts something of the engine's own. */
  internal(name: string, test: string, amount: number, tags: Tags = null): void {
    this.#series('internal', test, name, '', '', tags).add(amount)
  }

  /** Adds to a user's counter. NaN and amounts beyond 2^53 are ignored: they would spoil the total for good. */
  count(name: string, amount: number): void {
    if (Math.abs(amount) <= Number.MAX_SAFE_INTEGER)
      this.#series('counter', '', name, '', '', null).add(amount)
  }

  /** Sets a user's gauge; the latest value of all threads and agents counts. Ignores what is not a finite number. */
  gauge(name: string, value: number): void {
    if (Number.isFinite(value)) this.#series('gauge', '', name, '', '', null).mark(value, this.#options.now())
  }

  /** A duration of the user's own, in microseconds. */
  timing(name: string, micros: number): void {
    this.#series('timing', '', name, '', '', null).time(micros, false, 0, 0)
  }

  /**
   * Counts an error in its group: same test, type and message, with numbers, hex, quoted texts and uuids folded.
   * `sample` is called for the first error of a group only. The cost of an error is constant and small.
   */
  error(test: string, type: string, message: string, sample: () => string): void {
    const start = message.length > longestMessage ? message.slice(0, longestMessage) : message
    const known = this.#routes.error.find(test, start, type, '', null)
    const writer = known ?? this.#resolveError(test, type, start, sample)
    writer.mark(null, this.#options.now())
  }

  /** The catalogue is full: names outside it go to the overflow series from now on. */
  restrictTo(ids: ReadonlySet<string>): void {
    this.#admitted = ids
    for (const kind of admittedKinds) this.#routes[kind].clear()
    this.#routesTaken = 0
  }

  #series(
    kind: SeriesKind,
    test: string,
    name: string,
    method: string,
    status: string,
    tags: Tags,
  ): BlockWriter {
    return (
      this.#routes[kind].find(test, name, method, status, tags) ??
      this.#resolve(kind, test, name, method, status, tags)
    )
  }

  /** Decides where an unknown name is recorded, and remembers that as long as there is room for it. */
  #resolve(
    kind: SeriesKind,
    test: string,
    name: string,
    method: string,
    status: string,
    tags: Tags,
  ): BlockWriter {
    const key: SeriesKey = {
      kind,
      test: storedText(test),
      name: storedText(name),
      method: storedText(method),
      status: storedText(status),
      tags: tags === null ? noTags : storedTags(tags),
    }
    const id = seriesId(key)
    const admitted = this.#admits(key, id)
    const writer = admitted ? this.#open(key, id) : this.#openOverflow(key)
    if (isUncut(key, test, name, method, status, tags) && this.#hasRoomForRoute(kind, admitted)) {
      const taken = this.#routes[kind].add(test, name, method, status, tags, writer)
      if (admittedKinds.has(kind)) this.#routesTaken += taken
    }
    return writer
  }

  #admits(key: SeriesKey, id: string): boolean {
    if (!admittedKinds.has(key.kind)) return true
    // A user's own `(other)`, with whatever status and tags, is the overflow series too.
    if (key.name === overflowName) return false
    if (this.#admitted !== null && !this.#admitted.has(id)) return false
    return this.#writers.has(id) || this.#userSeries < 2 * this.#options.maxSeries
  }

  /** Names without a series get half of the room, so that they never crowd out the ones with a series. */
  #hasRoomForRoute(kind: SeriesKind, admitted: boolean): boolean {
    if (!admittedKinds.has(kind)) return true
    return this.#routesTaken < this.#options.maxSeries * (admitted ? 16 : 8)
  }

  #openOverflow(key: SeriesKey): BlockWriter {
    const overflow = overflowOf(key)
    return this.#open(overflow, seriesId(overflow))
  }

  #open(key: SeriesKey, id: string, detail: ErrorDetail | null = null): BlockWriter {
    let writer = this.#writers.get(id)
    if (writer === undefined) {
      const block = createBlock(key.kind)
      writer = new BlockWriter(block)
      this.#writers.set(id, writer)
      if (admittedKinds.has(key.kind) && key.name !== overflowName) this.#userSeries++
      this.#options.define({ key, block, detail })
    }
    return writer
  }

  #resolveError(test: string, type: string, message: string, sample: () => string): BlockWriter {
    const name = fingerprintOf(storedText(type), storedText(message, longestMessage))
    let key = errorKey(storedText(test), name)
    let id = seriesId(key)
    if (!this.#writers.has(id) && this.#errorGroups >= this.#options.maxErrorGroups) {
      key = errorKey('', overflowName)
      id = seriesId(key)
    }
    if (!this.#writers.has(id)) {
      if (key.name !== overflowName) this.#errorGroups++
      this.#open(key, id, {
        type: key.name === overflowName ? overflowName : storedText(type),
        message: storedText(message, longestMessage),
        sample: storedText(sampleOf(sample), longestSample),
        firstSeen: this.#options.now(),
      })
    }
    const writer = this.#open(key, id)
    if (this.#messages < rememberedMessages) {
      this.#messages++
      this.#routes.error.add(
        storedText(test),
        storedText(message, longestMessage),
        storedText(type),
        '',
        null,
        writer,
      )
    }
    return writer
  }
}

/** Routes keep the strings they are given, so what the key holds cut is not remembered. */
function isUncut(
  key: SeriesKey,
  test: string,
  name: string,
  method: string,
  status: string,
  tags: Tags,
): boolean {
  if (key.test !== test || key.name !== name || key.method !== method || key.status !== status) return false
  return tags === null || Object.entries(tags).every(([tag, value]) => key.tags[tag] === value)
}

function errorKey(test: string, name: string): SeriesKey {
  return { kind: 'error', test, name, method: '', status: '', tags: noTags }
}

function storedTags(tags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tags).map(([tag, value]) => [storedText(tag), storedText(String(value))]),
  )
}

/** A sample is made by users' code (a stack, a request printed): an error in it must not hide the error. */
function sampleOf(sample: () => string): string {
  try {
    return String(sample())
  } catch {
    return ''
  }
}
