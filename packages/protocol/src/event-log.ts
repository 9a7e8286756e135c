import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { ProtocolError } from './errors.ts'

/**
 * An append-only file of records, one JSON text per line, bytes as `{"$bytes": base64}`. A crash can only tear the
 * last line; the reader skips it and the next writer cuts it off.
 */
export class EventLogWriter {
  readonly file: string
  readonly #handle: FileHandle
  readonly #sync: boolean
  /** Where the last complete record ends. */
  #size: number
  #pending: { text: string; resolve: () => void; reject: (error: unknown) => void }[] = []
  #writing: Promise<void> | null = null
  /** Set when it is unknown what the file holds beyond `#size`. */
  #broken: ProtocolError | null = null
  #isClosed = false

  private constructor(file: string, handle: FileHandle, size: number, sync: boolean) {
    this.file = file
    this.#handle = handle
    this.#size = size
    this.#sync = sync
  }

  /** @param options.sync A record is on disk, not only with the operating system, when `append` resolves. */
  static async open(file: string, options: { sync: boolean }): Promise<EventLogWriter> {
    const handle = await open(file, 'a+', 0o600)
    try {
      const size = await endOfLastLine(handle)
      await handle.truncate(size)
      return new EventLogWriter(file, handle, size, options.sync)
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Length of the file in bytes, up to the last complete record. */
  get size(): number {
    return this.#size
  }

  /**
   * Resolves when the record is written. After an error (a full disk) nothing of it is in the file, and a later append
   * may succeed.
   *
   * @throws {ProtocolError} EVENT_LOG_BROKEN after an error that could not be undone; the system's error otherwise.
   */
  append(record: object): Promise<void> {
    if (this.#isClosed)
      return Promise.reject(new ProtocolError('EVENT_LOG_BROKEN', `${this.file} is closed already`))
    const text = `${stringify(record)}\n`
    return new Promise((resolve, reject) => {
      this.#pending.push({ text, resolve, reject })
      this.#writing ??= this.#writeAll()
    })
  }

  /** Waits for what was appended. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#writing
    await this.#handle.close()
  }

  /** One write, and one sync, for all that came while the last one was under way. */
  async #writeAll(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending
      this.#pending = []
      try {
        await this.#write(Buffer.from(batch.map(({ text }) => text).join('')))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#writing = null
  }

  async #write(bytes: Buffer): Promise<void> {
    if (this.#broken !== null) throw this.#broken
    try {
      for (let at = 0; at < bytes.length;) at += (await this.#handle.write(bytes, at)).bytesWritten
    } catch (error) {
      await this.#handle.truncate(this.#size).catch((cause: unknown) => this.#break(cause))
      throw error
    }
    try {
      if (this.#sync) await this.#handle.datasync()
    } catch (error) {
      // The system may have dropped the pages and forgotten the error: what is on disk is unknown from here on.
      this.#break(error)
      throw error
    }
    this.#size += bytes.length
  }

  #break(cause: unknown): void {
    const text = `${this.file} could not be written and is in an unknown state. Check the disk and open it again.`
    this.#broken = new ProtocolError('EVENT_LOG_BROKEN', text, { cause })
  }
}

/**
 * The records of a log in order, bytes restored; a torn last line is left out.
 *
 * @throws {ProtocolError} EVENT_LOG_CORRUPT for any other line that is no record.
 */
export async function* readEventLog(file: string): AsyncIterable<unknown> {
  let line = 0
  /** Pieces of a line whose end has not come. */
  let pieces: Buffer[] = []
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      pieces.push(chunk.subarray(start, end))
      start = end + 1
      line += 1
      const text = Buffer.concat(pieces).toString('utf8')
      pieces = []
      yield parse(file, line, text)
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start))
  }
}

/** Bytes in the file up to and with the last line feed. */
async function endOfLastLine(handle: FileHandle): Promise<number> {
  const block = Buffer.alloc(64 * 1024)
  let end = (await handle.stat()).size
  while (end > 0) {
    const start = Math.max(0, end - block.length)
    const { bytesRead } = await handle.read(block, 0, end - start, start)
    const found = block.subarray(0, bytesRead).lastIndexOf(10)
    if (found >= 0) return start + found + 1
    end = start
  }
  return 0
}

/** A user's own `$bytes` key gets one more `$` in the file. */
const escapable = /^\$+bytes$/

function stringify(record: object): string {
  return JSON.stringify(record, function (this: Record<string, unknown>, key, value: unknown) {
    // Looked up again because a Buffer has turned itself into something else by now.
    const raw = this[key]
    if (raw instanceof Uint8Array)
      return { $bytes: Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('base64') }
    return isPlain(value) ? renamed(value, (name) => (escapable.test(name) ? `$${name}` : name)) : value
  })
}

function parse(file: string, line: number, text: string): unknown {
  try {
    return JSON.parse(text, (_key, value: unknown) => {
      if (!isPlain(value)) return value
      const { $bytes: base64 } = value
      if (typeof base64 === 'string') return new Uint8Array(Buffer.from(base64, 'base64'))
      return renamed(value, (name) => (escapable.test(name) ? name.slice(1) : name))
    })
  } catch (error) {
    throw new ProtocolError(
      'EVENT_LOG_CORRUPT',
      `${file}, line ${line}, is no record. The file was damaged or edited; the lines before it can be read.`,
      { cause: error },
    )
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}

/** The same object where no name changes, which is nearly always. */
function renamed(value: Record<string, unknown>, rename: (name: string) => string): Record<string, unknown> {
  const names = Object.keys(value)
  if (names.every((name) => rename(name) === name)) return value
  return Object.fromEntries(names.map((name) => [rename(name), value[name]]))
}
