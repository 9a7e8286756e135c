import { randomUUID } from 'node:crypto'
import type { FaultScope } from '../proxy/fault-scope.ts'
import type { Proxies } from '../proxy/proxies.ts'
import type { Proxy } from '../proxy/proxy.ts'
import { about, Refusal } from './refusal.ts'

/** Scopes that were begun and not ended. */
const mostScopes = 1000
/** Those that ended with their lease, and somebody may still ask about. */
const mostTakenBack = 1000

interface Open {
  proxy: Proxy
  scope: FaultScope
  /** Null: it stays until it is ended. */
  lease: string | null
}

/** Scopes that clients have begun, by id. What belongs to a lease ends with it: a client that was killed leaves nothing. */
export class OpenScopes {
  readonly #proxies: Proxies
  readonly #leases = new Set<string>()
  readonly #open = new Map<string, Open>()
  readonly #takenBack = new Set<string>()

  constructor(proxies: Proxies) {
    this.#proxies = proxies
  }

  /** @returns the id of the lease */
  openLease(): string {
    const id = randomUUID()
    this.#leases.add(id)
    return id
  }

  /** What was begun under it ends, the last first. Nobody is there any more to be told of an error. */
  async closeLease(lease: string): Promise<void> {
    this.#leases.delete(lease)
    for (const [id, open] of [...this.#open].toReversed())
      if (open.lease === lease) await this.#takeBack(id, open).catch(() => {})
  }

  /**
   * @param begin makes the scope
   * @returns the id of the scope
   * @throws {Refusal} 404: there is no such lease; 409: too many scopes
   */
  async begin(proxy: Proxy, lease: string | null, begin: () => Promise<FaultScope>): Promise<string> {
    this.#checkLease(lease)
    this.#dropGone()
    if (this.#open.size >= mostScopes)
      throw new Refusal(409, `${mostScopes} scopes are open; end some, or delete their proxies`)
    const id = randomUUID()
    const scope = await about('toxic', begin)
    this.#open.set(id, { proxy, scope, lease })
    try {
      // Whoever holds it may have gone meanwhile.
      this.#checkLease(lease)
    } catch (refusal) {
      await this.#takeBack(id, { scope })
      throw refusal
    }
    return id
  }

  /** @throws {Refusal} 404; 410: it has ended with its lease. One that could not be ended is there to be ended again */
  async end(proxy: Proxy, id: string): Promise<void> {
    if (this.#takenBack.delete(id))
      throw new Refusal(410, 'the scope had ended before: the connection that held its lease was cut', {
        code: 'CHAOS_STATE',
      })
    const found = this.#open.get(id)
    if (found === undefined || found.proxy !== proxy)
      throw new Refusal(404, 'scope not found', { code: 'CHAOS_NOT_FOUND' })
    await about('toxic', () => found.scope.end())
    this.#open.delete(id)
  }

  async #takeBack(id: string, { scope }: { scope: FaultScope }): Promise<void> {
    this.#takenBack.add(id)
    const [oldest] = this.#takenBack
    if (this.#takenBack.size > mostTakenBack) this.#takenBack.delete(oldest!)
    this.#open.delete(id)
    await scope.end()
  }

  #checkLease(lease: string | null): void {
    if (lease !== null && !this.#leases.has(lease))
      throw new Refusal(404, 'lease not found', {
        code: 'CHAOS_NOT_FOUND',
        detail: 'a lease ends with the connection of GET /leases that it came from',
      })
  }

  #dropGone(): void {
    const there = new Set(this.#proxies.all())
    for (const [id, { proxy }] of this.#open) if (!there.has(proxy)) this.#open.delete(id)
  }
}
