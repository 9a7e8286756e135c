import dns, { type LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import type { TargetOptions } from '../context.ts'

/** How long the addresses of a name are remembered, in milliseconds. */
const addressesMs = 30_000

/** Names whose addresses are remembered; beyond it, all are asked for anew. */
const maxNames = 1000

interface Known {
  addresses: LookupAddress[]
  /** By performance.now(). */
  until: number
  /** How often they were used. */
  turn: number
}

const known = new Map<string, Known>()

/**
 * A `lookup` for sockets that takes all addresses of a name in turn: each connection begins with the next one, and tries
 * the others after it where Node does so.
 */
export const spreadLookup: LookupFunction = (hostname, options, callback) => {
  const give = (entry: Known) => {
    const first = entry.turn++ % entry.addresses.length
    const turned = [...entry.addresses.slice(first), ...entry.addresses.slice(0, first)]
    if (options.all === true) return callback(null, turned)
    callback(null, turned[0]!.address, turned[0]!.family)
  }
  const key = `${String(options.family ?? 0)} ${hostname}`
  const entry = known.get(key)
  // Always later: a socket expects no answer before `connect` has returned.
  if (entry !== undefined && performance.now() < entry.until) return process.nextTick(give, entry)
  dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return options.all === true ? callback(error, []) : callback(error, '', 0)
    if (known.size >= maxNames) known.clear()
    // The turn goes on where it was, or many short-lived entries would all begin with the first address.
    const turn = known.get(key)?.turn ?? 0
    const fresh = { addresses, until: performance.now() + addressesMs, turn }
    known.set(key, fresh)
    give(fresh)
  })
}

const turns = new WeakMap<TargetOptions, number>()

/** The local address that the next connection of this load thread starts from; null: the system chooses. */
export function nextSource(target: TargetOptions): string | null {
  const { sourceAddresses } = target.connections
  if (sourceAddresses.length === 0) return null
  const turn = turns.get(target) ?? 0
  turns.set(target, turn + 1)
  return sourceAddresses[turn % sourceAddresses.length]!
}
