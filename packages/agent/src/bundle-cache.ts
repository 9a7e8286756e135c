import { createHash } from 'node:crypto'

/** Bundles by hash, so that a run repeated does not fetch its tests again. The least recently used goes first. */
export class BundleCache {
  readonly #mostBytes: number
  readonly #bundles = new Map<string, Uint8Array>()
  #bytes = 0

  constructor(mostBytes = 256 * 1024 * 1024) {
    this.#mostBytes = mostBytes
  }

  get(hash: string): Uint8Array | null {
    const bytes = this.#bundles.get(hash)
    if (bytes === undefined) return null
    this.#bundles.delete(hash)
    this.#bundles.set(hash, bytes)
    return bytes
  }

  /** @returns false when the bytes are not what the hash says */
  put(hash: string, bytes: Uint8Array): boolean {
    if (createHash('sha256').update(bytes).digest('hex') !== hash) return false
    if (this.#bundles.has(hash)) return true
    this.#bundles.set(hash, bytes)
    this.#bytes += bytes.length
    for (const [oldest, old] of this.#bundles) {
      if (this.#bytes <= this.#mostBytes || oldest === hash) break
      this.#bundles.delete(oldest)
      this.#bytes -= old.length
    }
    return true
  }
}
