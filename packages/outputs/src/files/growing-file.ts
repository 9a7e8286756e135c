import { open, type FileHandle } from 'node:fs/promises'

/** A file that is written piece by piece. A piece that could not be written whole is as if it had not been written. */
export class GrowingFile {
  readonly path: string
  #handle: FileHandle | null = null
  /** Bytes that are good; null: a device or a pipe, which has no positions. */
  #length: number | null = 0

  constructor(path: string) {
    this.path = path
  }

  /** Empties the file of an earlier run. */
  async open(): Promise<void> {
    await this.#handle?.close()
    this.#handle = null
    this.#handle = await open(this.path, 'w')
    this.#length = (await this.#handle.stat()).isFile() ? 0 : null
  }

  async append(text: string, signal: AbortSignal): Promise<void> {
    const bytes = Buffer.from(text)
    let done = 0
    while (done < bytes.length) {
      signal.throwIfAborted()
      const position = this.#length === null ? null : this.#length + done
      const { bytesWritten } = await this.#handle!.write(bytes, done, bytes.length - done, position)
      done += bytesWritten
    }
    if (this.#length !== null) this.#length += done
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = null
    if (handle === null) return
    try {
      if (this.#length === null) return
      // What a full disk took of a piece that is lost.
      await handle.truncate(this.#length)
      await handle.sync()
    } finally {
      await handle.close()
    }
  }
}
