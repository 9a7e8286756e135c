import { open, type FileHandle } from 'node:fs/promises'
import { ChaosError } from '../errors.ts'
import type { ChaosEvent } from './event.ts'
import type { EventHub } from './event-hub.ts'
import { logFormat, type LogHeader, type LoggedProxy, type LossEntry } from './log-entry.ts'

export interface EventLogOptions {
  file: string
  events: EventHub
  /** Of the program that writes. */
  version: string
  /** As they were started. */
  proxies: readonly LoggedProxy[]
  /** Told once for each stretch in which something was lost, and why. */
  onTrouble?: (text: string) => void
  /** Bytes that may wait for the disk; by default 16 MiB. */
  maxQueuedBytes?: number
}

/**
 * Writes events to a file: NDJSON, a header first. A disk that is slow or full never stops a proxy: what finds no room is
 * counted, and the file says how much is missing. Faults have twice the room of other events, because a replay needs them.
 */
export class EventLog implements AsyncDisposable {
  readonly #handle: FileHandle
  readonly #onTrouble: (text: string) => void
  readonly #maxQueued: number
  readonly #file: string
  #stopListening: () => void = () => {}
  #queue: string[] = []
  #queued = 0
  #written = 0
  #lost = 0
  #unsaid = { events: 0, faults: 0 }
  #inTrouble = false
  /** Bytes of whole lines in the file; null: it is no file that can be cut. */
  #length: number | null
  #writing: Promise<void> | null = null

  /** @throws {ChaosError} CHAOS_CONFIG: the file cannot be written */
  static async open(options: EventLogOptions): Promise<EventLog> {
    let handle: FileHandle | null = null
    try {
      handle = await open(options.file, 'w')
      const log = new EventLog(options, handle, (await handle.stat()).isFile())
      const { version, proxies } = options
      const header: LogHeader = { type: 'log', format: logFormat, version, at: Date.now(), proxies }
      await log.#append(Buffer.from(`${JSON.stringify(header)}\n`))
      log.#stopListening = options.events.listen((event) => log.#take(event))
      return log
    } catch (error) {
      await handle?.close().catch(() => {})
      throw new ChaosError(
        'CHAOS_CONFIG',
        `cannot write events to ${options.file}: ${(error as Error).message}`,
        { cause: error },
      )
    }
  }

  private constructor(options: EventLogOptions, handle: FileHandle, isFile: boolean) {
    this.#handle = handle
    this.#file = options.file
    this.#length = isFile ? 0 : null
    this.#onTrouble = options.onTrouble ?? (() => {})
    this.#maxQueued = options.maxQueuedBytes ?? 16 * 2 ** 20
  }

  /** Events in the file. */
  get written(): number {
    return this.#written
  }

  /** Events that are not in the file and will not be. */
  get lost(): number {
    return this.#lost
  }

  /** What waits is written, then the file is closed. Twice is harmless. */
  async close(): Promise<void> {
    this.#stopListening()
    while (this.#writing !== null) await this.#writing
    if (this.#queue.length > 0 || this.#unsaid.events > 0) {
      await this.#start()
    }
    await this.#handle.close().catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #take(event: ChaosEvent): void {
    const line = `${JSON.stringify(event)}\n`
    const isFault = event.type === 'fault'
    const room = isFault ? this.#maxQueued : this.#maxQueued / 2
    if (this.#queued + line.length > room) this.#lose(1, isFault ? 1 : 0, 'the disk is too slow')
    else this.#enqueue(line)
  }

  #enqueue(line: string): void {
    this.#queue.push(line)
    this.#queued += line.length
    void this.#start()
  }

  #lose(events: number, faults: number, why: string): void {
    this.#lost += events
    this.#unsaid.events += events
    this.#unsaid.faults += faults
    if (this.#inTrouble) return
    this.#inTrouble = true
    this.#onTrouble(`${this.#file}: ${why}: events are being lost; the proxies go on`)
  }

  #start(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = null))
    return this.#writing
  }

  async #writeAll(): Promise<void> {
    do {
      // What comes in one turn is written at once.
      await new Promise(setImmediate)
      const lines = this.#queue
      const unsaid = this.#unsaid
      this.#queue = []
      this.#unsaid = { events: 0, faults: 0 }
      if (unsaid.events > 0) lines.push(this.#lossLine(unsaid))
      try {
        await this.#append(Buffer.from(lines.join('')))
        this.#queued -= lengthOf(lines)
        this.#written += lines.length - (unsaid.events > 0 ? 1 : 0)
        if (unsaid.events > 0) this.#onTrouble(`${this.#file}: ${unsaid.events} events were lost`)
        this.#inTrouble = this.#unsaid.events > 0
      } catch (error) {
        this.#queued -= lengthOf(lines)
        const own = unsaid.events > 0 ? lines.slice(0, -1) : lines
        this.#unsaid.events += unsaid.events
        this.#unsaid.faults += unsaid.faults
        const faults = own.filter((line) => line.startsWith(faultStart)).length
        this.#lose(own.length, faults, (error as Error).message)
        // Nothing is gained by trying again at once: the next event does.
        return
      }
    } while (this.#queue.length > 0)
  }

  #lossLine({ events, faults }: { events: number; faults: number }): string {
    const entry: LossEntry = { type: 'lost', at: Date.now(), events, faults }
    return `${JSON.stringify(entry)}\n`
  }

  /** All of it, or the file is cut back to whole lines. */
  async #append(bytes: Buffer): Promise<void> {
    const start = this.#length
    try {
      for (let done = 0; done < bytes.length;) {
        const position = start === null ? null : start + done
        done += (await this.#handle.write(bytes, done, bytes.length - done, position)).bytesWritten
      }
      if (start !== null) this.#length = start + bytes.length
    } catch (error) {
      if (start !== null) await this.#handle.truncate(start).catch(() => {})
      throw error
    }
  }
}

const faultStart = '{"type":"fault"'

function lengthOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length, 0)
}
