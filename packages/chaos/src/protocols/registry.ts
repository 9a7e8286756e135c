import { ChaosError } from '../errors.ts'
import { memcache } from './memcache.ts'
import { http } from './http.ts'
import { mysql } from './mysql.ts'
import { postgres } from './postgres.ts'
import type { Protocol } from './protocol.ts'
import { redis } from './redis.ts'
import { smtp } from './smtp.ts'
import { tcp } from './tcp.ts'

const own: readonly Protocol[] = [tcp, http, redis, memcache, mysql, smtp, postgres]
const custom = new Map<string, Protocol>()

export function knownProtocols(): readonly Protocol[] {
  return [...own, ...custom.values()]
}

/** @throws {ChaosError} CHAOS_PROTOCOL */
export function findProtocol(name: string): Protocol {
  const found = knownProtocols().find((protocol) => protocol.name === name)
  if (found !== undefined) return found
  const names = knownProtocols().map((protocol) => protocol.name)
  throw new ChaosError('CHAOS_PROTOCOL', `there is no protocol ${name}; known ones are ${names.join(', ')}`)
}

/** @returns what takes it away again. @throws {ChaosError} CHAOS_EXISTS */
export function addProtocol(protocol: Protocol): () => void {
  if (knownProtocols().some(({ name }) => name === protocol.name))
    throw new ChaosError(
      'CHAOS_EXISTS',
      `there is a protocol ${protocol.name} already; give this one another name`,
    )
  custom.set(protocol.name, protocol)
  return () => void custom.delete(protocol.name)
}
