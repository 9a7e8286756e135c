import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { BundleError } from './errors.ts'

/** Bundles are sent to agents, and taken from consoles, in parts of this size. */
export const bundlePartBytes = 256 * 1024

/** Bundles kept in memory where there is no state directory; the oldest go first. */
const maxKept = 16

/** Bundles by the SHA-256 of their bytes: in `directory`, or in memory. */
export interface BundleStore {
  has(hash: string): Promise<boolean>
  /** @throws {BundleError} when the bytes are not those of the hash, or too many. */
  put(hash: string, bytes: Uint8Array): Promise<void>
  /** null when it is not in store; bytes that were damaged in store are removed and count as not there. */
  get(hash: string): Promise<Uint8Array | null>
}

export const defaultMaxBundleBytes = 128 * 1024 * 1024

export function openBundleStore(directory: string | null, maxBytes = defaultMaxBundleBytes): BundleStore {
  return directory === null ? new MemoryStore(maxBytes) : new DirectoryStore(directory, maxBytes)
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A hash becomes part of a file name, so it must be nothing but one. */
export function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

function verify(hash: string, bytes: Uint8Array, maxBytes: number): void {
  if (!isHash(hash))
    throw new BundleError('BUNDLE_BAD_HASH', hash, 'a bundle is named by 64 hexadecimal digits')
  if (bytes.length > maxBytes) throw tooLarge(hash, maxBytes)
  if (hashOf(bytes) !== hash) {
    throw new BundleError('BUNDLE_MISMATCH', hash, 'the bundle was damaged on its way; send it again')
  }
}

export function tooLarge(hash: string, maxBytes: number): BundleError {
  const limit = Math.floor(maxBytes / 1024 / 1024)
  return new BundleError(
    'BUNDLE_TOO_LARGE',
    hash,
    `the bundle is larger than ${limit} MiB; include fewer files`,
  )
}

class MemoryStore implements BundleStore {
  readonly #maxBytes: number
  readonly #bundles = new Map<string, Uint8Array>()

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  async has(hash: string): Promise<boolean> {
    return this.#bundles.has(hash)
  }

  async put(hash: string, bytes: Uint8Array): Promise<void> {
    verify(hash, bytes, this.#maxBytes)
    this.#bundles.delete(hash)
    this.#bundles.set(hash, bytes)
    for (const oldest of this.#bundles.keys()) {
      if (this.#bundles.size <= maxKept) break
      this.#bundles.delete(oldest)
    }
  }

  async get(hash: string): Promise<Uint8Array | null> {
    return this.#bundles.get(hash) ?? null
  }
}

class DirectoryStore implements BundleStore {
  readonly #directory: string
  readonly #maxBytes: number

  constructor(directory: string, maxBytes: number) {
    this.#directory = directory
    this.#maxBytes = maxBytes
  }

  async has(hash: string): Promise<boolean> {
    if (!isHash(hash)) return false
    return stat(this.#file(hash)).then(
      () => true,
      () => false,
    )
  }

  async put(hash: string, bytes: Uint8Array): Promise<void> {
    verify(hash, bytes, this.#maxBytes)
    if (await this.has(hash)) return
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    // Written beside its place and renamed, so that a half-written bundle is never found under its hash.
    const draft = `${this.#file(hash)}.${randomBytes(6).toString('hex')}`
    try {
      await writeFile(draft, bytes, { mode: 0o600 })
      await rename(draft, this.#file(hash))
    } catch (error) {
      await unlink(draft).catch(() => {})
      throw error
    }
  }

  async get(hash: string): Promise<Uint8Array | null> {
    if (!isHash(hash)) return null
    const bytes = await readFile(this.#file(hash)).catch(() => null)
    if (bytes === null || hashOf(bytes) === hash) return bytes
    await unlink(this.#file(hash)).catch(() => {})
    return null
  }

  #file(hash: string): string {
    return path.join(this.#directory, hash)
  }
}
