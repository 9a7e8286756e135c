import { createNonce } from '../hello.ts'

/** Connections that have a key and no role yet, by routing id. Bounded in number and time. */
export class HalfOpen {
  readonly #limit: number
  readonly #lifetimeMs: number
  readonly #nonces = new Map<string, { nonce: Uint8Array; expiresAt: number }>()
  /** Routing ids that had their one answer or one challenge. Oldest first, and the oldest are forgotten. */
  readonly #spent = new Set<string>()

  constructor(limit = 4_096, lifetimeMs = 5_000) {
    this.#limit = limit
    this.#lifetimeMs = lifetimeMs
  }

  get size(): number {
    return this.#nonces.size
  }

  /** A nonce for a newcomer. Null: it had its chance, or too many are waiting. */
  challenge(key: string, now: number): Uint8Array | null {
    this.expire(now)
    if (this.#nonces.size >= this.#limit || !this.spend(key)) return null
    const nonce = createNonce()
    this.#nonces.set(key, { nonce, expiresAt: now + this.#lifetimeMs })
    return nonce
  }

  /** The nonce that this newcomer was given, once. */
  take(key: string, now: number): Uint8Array | null {
    this.expire(now)
    const entry = this.#nonces.get(key)
    this.#nonces.delete(key)
    return entry?.nonce ?? null
  }

  /** True for the first time that something is said to this routing id. */
  spend(key: string): boolean {
    if (this.#spent.has(key)) return false
    this.#spent.add(key)
    if (this.#spent.size > 4 * this.#limit) {
      for (const oldest of this.#spent) {
        this.#spent.delete(oldest)
        break
      }
    }
    return true
  }

  forget(key: string): void {
    this.#nonces.delete(key)
  }

  /** Entries are in the order of their ends, so this stops at the first that lives. */
  expire(now: number): void {
    for (const [key, { expiresAt }] of this.#nonces) {
      if (expiresAt > now) break
      this.#nonces.delete(key)
    }
  }
}
