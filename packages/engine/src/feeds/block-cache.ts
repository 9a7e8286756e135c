/** Rows that were read last. */
export interface Block {
  bytes: Buffer
  /** Start and end of each row in `bytes`, one after the other. */
  bounds: Uint32Array
}

/** What a load thread keeps of all its data files together. */
const mostBytes = 16 * 1024 * 1024
/** Blocks that are read at one time. */
const mostReads = 8

/** Blocks by key; the one that was used longest ago goes first. Who asks for a block that is being read gets the same. */
export class BlockCache {
  readonly #blocks = new Map<number, Block>()
  readonly #reading = new Map<number, Promise<Block>>()
  readonly #queue: (() => void)[] = []
  readonly #mostBytes: number
  #bytes = 0
  #reads = 0

  constructor(most = mostBytes) {
    this.#mostBytes = most
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A block that is at hand. */
  peek(key: number): Block | undefined {
    const block = this.#blocks.get(key)
    if (block === undefined) return undefined
    // Last in the order of the map is used last.
    this.#blocks.delete(key)
    this.#blocks.set(key, block)
    return block
  }

  /** Reads a block that is not. */
  load(key: number, read: () => Promise<Block>): Promise<Block> {
    const known = this.#reading.get(key)
    if (known !== undefined) return known
    const reading = this.#read(key, read).finally(() => this.#reading.delete(key))
    this.#reading.set(key, reading)
    return reading
  }

  async #read(key: number, read: () => Promise<Block>): Promise<Block> {
    if (this.#reads >= mostReads) await new Promise<void>((resolve) => this.#queue.push(resolve))
    else this.#reads++
    try {
      const block = await read()
      this.#keep(key, block)
      return block
    } finally {
      // The place goes to the one who waits longest.
      const next = this.#queue.shift()
      if (next === undefined) this.#reads--
      else next()
    }
  }

  #keep(key: number, block: Block): void {
    this.#blocks.set(key, block)
    this.#bytes += sizeOf(block)
    for (const [oldest, each] of this.#blocks) {
      if (this.#bytes <= this.#mostBytes || oldest === key) break
      this.#blocks.delete(oldest)
      this.#bytes -= sizeOf(each)
    }
  }
}

function sizeOf({ bytes, bounds }: Block): number {
  return bytes.length + bounds.byteLength
}
