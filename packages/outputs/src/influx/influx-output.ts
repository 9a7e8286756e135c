import type { OutputEnvironment } from '../environment.ts'
import { messageOf, OutputError } from '../errors.ts'
import type { Output, OutputRecord, OutputRun, RecordType } from '../output.ts'
import type { Point } from './point.ts'
import type { PointWriter, WriteAnswer } from './point-writer.ts'
import { RunPoints } from './run-points.ts'

/** Points of one request: from here on it is sent, ... */
const enough = 5_000
/** ... and never more than this. */
const most = 10_000

/** Different complaints of a server that are told; a thousand points may each be refused in other words. */
const mostComplaints = 20

/** How long an attempt to open may take: whoever feeds outputs bounds the rest. */
const openTimeoutMs = 8_000

/** Writes a run into InfluxDB. What differs between its versions is the writer's. */
export class InfluxOutput implements Output {
  readonly name: string
  readonly wants: ReadonlySet<RecordType> = new Set<RecordType>(['interval', 'event', 'end'])
  readonly spansMs = [1_000, 10_000, 60_000] as const
  /** After a pause of the database many intervals go into one request. */
  readonly batch = 600
  readonly #writer: PointWriter
  readonly #environment: OutputEnvironment
  readonly #complaints = new Set<string>()
  #points: RunPoints | null = null
  /** `performance.now()` before which the server does not want to hear from us. */
  #notBefore = 0

  constructor(name: string, writer: PointWriter, environment: OutputEnvironment) {
    this.name = name
    this.#writer = writer
    this.#environment = environment
  }

  async open(run: OutputRun): Promise<void> {
    const signal = AbortSignal.timeout(openTimeoutMs)
    await this.#reached(() => this.#writer.prepare(signal))
    const points = new RunPoints(run)
    // Whether points can be written is shown by one only: a token may be good for nothing else.
    await this.#send([points.opening()], signal)
    this.#points = points
  }

  async write(records: readonly OutputRecord[], signal: AbortSignal): Promise<void> {
    const make = this.#points
    if (make === null) throw new OutputError('OUTPUT_UNAVAILABLE', 'it is not open')
    let waiting: Point[] = []
    for (const record of records) {
      waiting.push(...make.of(record))
      if (waiting.length < enough) continue
      await this.#send(waiting, signal)
      waiting = []
    }
    const detail = detailFor(records)
    if (detail !== null) waiting.push(...make.soFar(detail === 'all'))
    if (waiting.length > 0) await this.#send(waiting, signal)
  }

  async close(): Promise<void> {
    await this.#writer.close()
  }

  async #send(points: readonly Point[], signal: AbortSignal): Promise<void> {
    const parts = Math.ceil(points.length / most)
    const size = Math.ceil(points.length / parts)
    for (let at = 0; at < points.length; at += size) await this.#sendOne(points.slice(at, at + size), signal)
  }

  async #sendOne(points: readonly Point[], signal: AbortSignal, mayPrepare = true): Promise<void> {
    this.#wait()
    const answer = await this.#reached(() => this.#writer.send(points, signal))
    const { status, text } = answer
    if (status >= 200 && status < 300) return
    if (status === 413 && points.length > 1) {
      const half = Math.ceil(points.length / 2)
      await this.#sendOne(points.slice(0, half), signal)
      return this.#sendOne(points.slice(half), signal)
    }
    // The rest of the points was written, or none can ever be: again would change nothing.
    if (status === 400 || status === 413 || status === 422) return this.#complain(points.length, text, status)
    if (status === 404 && mayPrepare) {
      // It was dropped in the meantime.
      await this.#reached(() => this.#writer.prepare(signal))
      return this.#sendOne(points, signal, false)
    }
    throw this.#failure(answer)
  }

  #failure({ status, text, retryAfterMs }: WriteAnswer): OutputError {
    const { target, accessHint, missingHint } = this.#writer
    const said = `${target} answered ${status}${text === '' ? '' : `: ${text}`}`
    if (status === 401 || status === 403) return new OutputError('OUTPUT_REFUSED', `${said}; ${accessHint}`)
    if (status === 404) return new OutputError('OUTPUT_REFUSED', `${said}; ${missingHint}`)
    if (status >= 300 && status < 400)
      return new OutputError('OUTPUT_REFUSED', `${said}; give the address that it points to`)
    if (retryAfterMs !== null) this.#notBefore = performance.now() + retryAfterMs
    return new OutputError('OUTPUT_UNAVAILABLE', said)
  }

  #wait(): void {
    const leftMs = this.#notBefore - performance.now()
    if (leftMs <= 0) return
    const seconds = Math.ceil(leftMs / 1000)
    throw new OutputError(
      'OUTPUT_UNAVAILABLE',
      `${this.#writer.target} asks to be left alone for ${seconds} s more`,
    )
  }

  /** In the server's own words, but once: points of one kind are refused again each second. */
  #complain(points: number, text: string, status: number): void {
    const complaint = text === '' ? `status ${status}` : text
    // Times and values differ each time.
    const kind = complaint.replace(/\d+(\.\d+)?/g, '<n>')
    if (this.#complaints.has(kind) || this.#complaints.size >= mostComplaints) return
    this.#complaints.add(kind)
    this.#environment.log(
      'warning',
      `output ${this.name}: ${this.#writer.target} did not take all of ${points} points: ${complaint}`,
    )
  }

  async #reached<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      if (error instanceof OutputError) throw error
      throw new OutputError(
        'OUTPUT_UNAVAILABLE',
        `${this.#writer.target} cannot be reached: ${messageOf(error)}`,
        { cause: error },
      )
    }
  }
}

/** The whole run so far is written when time went by: all of it each ten seconds and at the end, its head each second. */
function detailFor(records: readonly OutputRecord[]): 'all' | 'head' | null {
  let detail: 'head' | null = null
  for (const record of records) {
    if (record.type === 'end') return 'all'
    if (record.type !== 'interval') continue
    if (record.interval.spanMs > 1_000) return 'all'
    detail = 'head'
  }
  return detail
}
