import { nearestOf } from '../config/nearest.ts'
import { ChaosError } from '../errors.ts'
import type { Protocol } from '../protocols/protocol.ts'
import { knownProtocols } from '../protocols/registry.ts'
import { byteFaults } from './byte-faults.ts'
import type { FaultDefinition } from './definition.ts'
import { requestFaults } from './request-faults.ts'
import { transient, transientOf } from './transient.ts'

// Definitions differ in their attributes, which the table of each checks before it reads them.
const own = [...byteFaults, ...requestFaults] as unknown as readonly FaultDefinition[]
const custom = new Map<string, FaultDefinition>()

/** All types of faults, those of modules last. */
export function knownFaults(): readonly FaultDefinition[] {
  const errors = knownProtocols().map((protocol) => protocol.error as unknown as FaultDefinition)
  return [...own, ...errors, ...custom.values()]
}

/**
 * What a type means on a protocol; `error` is that of the protocol itself.
 *
 * @throws {ChaosError} CHAOS_UNKNOWN_FAULT
 */
export function findFault(type: string, protocol: Protocol): FaultDefinition {
  if (type === 'error') return protocol.error as unknown as FaultDefinition
  if (type === transient.type) return transientOf(protocol)
  const found = knownFaults().find((definition) => definition.type === type)
  if (found !== undefined) return found
  const names = ['error', ...knownFaults().map((definition) => definition.type)]
  const near = nearestOf(type, names)
  const hint = near === null ? `; known ones are ${names.join(', ')}` : `: did you mean ${near}?`
  throw new ChaosError('CHAOS_UNKNOWN_FAULT', `there is no fault ${type}${hint}`)
}

/** @returns what takes it away again. @throws {ChaosError} CHAOS_EXISTS */
export function addFault(definition: FaultDefinition): () => void {
  if (definition.type === 'error' || knownFaults().some(({ type }) => type === definition.type))
    throw new ChaosError(
      'CHAOS_EXISTS',
      `there is a fault ${definition.type} already; give this one another type`,
    )
  custom.set(definition.type, definition)
  return () => void custom.delete(definition.type)
}
