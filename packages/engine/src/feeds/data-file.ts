import { open, type FileHandle } from 'node:fs/promises'
import { UsageError, type FeedRow } from '@loads-runner/testcase'
import type { Block, BlockCache } from './block-cache.ts'
import type { DataFormat, ParseRow } from './data-format.ts'
import { dataExtensions, formatOf } from './known-formats.ts'
import { MalformedData } from './malformed-data.ts'
import { RowIndex, type BlockPlace } from './row-index.ts'

const chunkBytes = 256 * 1024
/** A row that is longer is most likely a file of another kind. */
const mostRowBytes = 16 * 1024 * 1024
/** Keys of blocks: the file's number above these. */
const blocksPerFile = 2 ** 24

/**
 * A file of rows that is never in memory as a whole: opening it reads it once and notes where rows are, then rows are
 * read by their number.
 */
export class DataFile {
  /** As users know it. */
  readonly name: string
  readonly #handle: FileHandle
  readonly #format: DataFormat
  readonly #cache: BlockCache
  readonly #number: number
  readonly #index = new RowIndex()
  #parse!: ParseRow

  /**
   * @param path absolute
   * @param number of the file in the cache, which several files share
   * @throws {UsageError} no such file, no such format, or no rows in it; names file and line
   */
  static async open(name: string, path: string, cache: BlockCache, number: number): Promise<DataFile> {
    const format = formatOf(name)
    if (format === null) {
      const known = dataExtensions.map((each) => `.${each}`).join(', ')
      throw new UsageError(`${name} is no data file: its name must end in one of ${known}`)
    }
    const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(
        error.code === 'ENOENT'
          ? `no data file ${name}: it must be under the test directory; a name that is not written out in this.feed('...') is shipped with --include-file`
          : `cannot read ${name}: ${error.message}`,
        { cause: error },
      )
    })
    try {
      const file = new DataFile(name, handle, format, cache, number)
      await file.#scan()
      return file
    } catch (error) {
      await handle.close().catch(() => {})
      if (error instanceof MalformedData) throw new UsageError(`${name}:${error.line}: ${error.message}`)
      if (error instanceof UsageError) throw error
      throw new UsageError(`cannot read ${name}: ${(error as Error).message}`, { cause: error })
    }
  }

  private constructor(
    name: string,
    handle: FileHandle,
    format: DataFormat,
    cache: BlockCache,
    number: number,
  ) {
    this.name = name
    this.#handle = handle
    this.#format = format
    this.#cache = cache
    this.#number = number
  }

  get rows(): number {
    return this.#index.rows
  }

  /**
   * A row by its number, from 0.
   *
   * @throws {UsageError} when it is malformed; names file and line
   */
  row(number: number): FeedRow | Promise<FeedRow> {
    const place = this.#index.blockOf(number)
    const key = this.#number * blocksPerFile + place.number
    const block = this.#cache.peek(key)
    if (block !== undefined) return this.#rowOf(block, place, number)
    return this.#cache
      .load(key, () => this.#readBlock(place))
      .then((read) => this.#rowOf(read, place, number))
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }

  #rowOf({ bytes, bounds }: Block, place: BlockPlace, number: number): FeedRow {
    const at = (number - place.firstRow) * 2
    const start = bounds[at]!
    try {
      return this.#parse(bytes.subarray(start, bounds[at + 1]))
    } catch (error) {
      let line = place.line
      for (let end = bytes.indexOf(0x0a); end >= 0 && end < start; end = bytes.indexOf(0x0a, end + 1)) line++
      throw new UsageError(`${this.name}:${line}: ${(error as Error).message}`)
    }
  }

  async #scan(): Promise<void> {
    const buffer = Buffer.allocUnsafe(chunkBytes)
    let header: [from: number, to: number, line: number] | null = null
    let filled = await readAt(this.#handle, buffer, 0)
    const bom = byteOrderMark(buffer.subarray(0, filled))
    const scanner = this.#format.scanner({ position: bom, line: 1, inside: false }, (start, end, line) => {
      if (end - start > mostRowBytes)
        throw new MalformedData(line, `this row has ${end - start} bytes; ${mostRowBytes} is the most`)
      if (this.#format.hasHeader && header === null) header = [start, end, line]
      else this.#index.add(start, end, line)
    })
    scanner.push(buffer.subarray(bom, filled))
    for (let position = filled; filled > 0; position += filled) {
      filled = await readAt(this.#handle, buffer, position)
      scanner.push(buffer.subarray(0, filled))
    }
    scanner.end()
    await this.#takeHeader(header)
    if (this.rows === 0) throw new UsageError(`${this.name} has no rows`)
  }

  async #takeHeader(header: [from: number, to: number, line: number] | null): Promise<void> {
    if (header === null) return void (this.#parse = this.#format.parser(null))
    const [from, to, line] = header
    const bytes = await this.#readBytes(from, to)
    try {
      this.#parse = this.#format.parser(bytes)
    } catch (error) {
      throw new MalformedData(line, (error as Error).message)
    }
  }

  async #readBlock({ from, to, rows, line }: BlockPlace): Promise<Block> {
    const bytes = await this.#readBytes(from, to)
    const bounds = new Uint32Array(rows * 2)
    let found = 0
    const scanner = this.#format.scanner({ position: 0, line, inside: true }, (start, end) => {
      bounds[found * 2] = start
      bounds[found * 2 + 1] = end
      found++
    })
    // The last row of a file may have no end of its own, and needs none: so the last block is ended, the others too.
    scanner.push(bytes)
    if (found < rows) scanner.end()
    if (found !== rows) throw new UsageError(`${this.name} was changed while the run went on`)
    return { bytes, bounds }
  }

  async #readBytes(from: number, to: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(to - from)
    const read = await readAt(this.#handle, bytes, from)
    if (read < bytes.length) throw new UsageError(`${this.name} was cut short while the run went on`)
    return bytes
  }
}

/** Fills the buffer, unless the file ends before. */
async function readAt(handle: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

/** Length of the mark that some editors put before UTF-8. */
function byteOrderMark(bytes: Buffer): number {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 3
  const is16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  if (is16) throw new MalformedData(1, 'the file is UTF-16; save it as UTF-8')
  return 0
}
