import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ChaosError } from '../errors.ts'
import { addFault, knownFaults } from '../faults/registry.ts'
import type { FaultDefinition } from '../faults/definition.ts'
import { addProtocol, knownProtocols } from '../protocols/registry.ts'
import type { Protocol } from '../protocols/protocol.ts'
import { problemOfFault, problemOfProtocol } from './definition-problems.ts'

/** What a module brought. */
export interface LoadedModule {
  file: string
  faults: readonly string[]
  protocols: readonly string[]
  /** They are unknown again; proxies that have them keep them. */
  readonly unload: () => void
}

/** What takes a definition away again. */
const loaded = new Map<object, () => void>()

/**
 * Loads an ES module and makes its faults and protocols known: all its exports that `defineFault` or `defineProtocol` made.
 * A module that was loaded before is not an error. All of them or none.
 *
 * @throws {ChaosError} CHAOS_MODULE naming the file and the export; CHAOS_EXISTS
 */
export async function loadModule(file: string, directory: string = process.cwd()): Promise<LoadedModule> {
  const exports = await importModule(file, directory)
  const faults: FaultDefinition[] = []
  const protocols: Protocol[] = []
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue
    const where = `${file}: its export ${name}`
    if (looksLikeFault(value)) {
      const problem = problemOfFault(value)
      if (problem !== null) throw new ChaosError('CHAOS_MODULE', `${where} is no fault: ${problem}`)
      faults.push(value as unknown as FaultDefinition)
    } else if (looksLikeProtocol(value)) {
      const problem = problemOfProtocol(value)
      if (problem !== null) throw new ChaosError('CHAOS_MODULE', `${where} is no protocol: ${problem}`)
      protocols.push(value as unknown as Protocol)
    }
  }
  if (faults.length === 0 && protocols.length === 0)
    throw new ChaosError(
      'CHAOS_MODULE',
      `${file} exports neither a fault nor a protocol; write export const mine = defineFault({ ... })`,
    )
  register(file, faults, protocols)
  return {
    file,
    faults: faults.map(({ type }) => type),
    protocols: protocols.map(({ name }) => name),
    unload: () => {
      for (const definition of [...faults, ...protocols]) {
        loaded.get(definition)?.()
        loaded.delete(definition)
      }
    },
  }
}

/** All are looked at before the first is made known. */
function register(file: string, faults: readonly FaultDefinition[], protocols: readonly Protocol[]): void {
  const newFaults = [...new Set(faults)].filter((fault) => !knownFaults().includes(fault))
  const newProtocols = [...new Set(protocols)].filter((protocol) => !knownProtocols().includes(protocol))
  const types = ['error', ...knownFaults().map(({ type }) => type)]
  for (const type of [...newFaults, ...newProtocols.map(({ error }) => error)].map((each) => each.type)) {
    if (types.includes(type))
      throw new ChaosError(
        'CHAOS_EXISTS',
        `${file}: there is a fault ${type} already; give this one another type`,
      )
    types.push(type)
  }
  const names = knownProtocols().map(({ name }) => name)
  for (const { name } of newProtocols) {
    if (names.includes(name))
      throw new ChaosError(
        'CHAOS_EXISTS',
        `${file}: there is a protocol ${name} already; give this one another name`,
      )
    names.push(name)
  }
  for (const fault of newFaults) loaded.set(fault, addFault(fault))
  for (const protocol of newProtocols) loaded.set(protocol, addProtocol(protocol))
}

async function importModule(file: string, directory: string): Promise<Record<string, unknown>> {
  const url = file.startsWith('file:') ? file : pathToFileURL(resolve(directory, file)).href
  try {
    return (await import(url)) as Record<string, unknown>
  } catch (error) {
    const { code, message, stack } = (error ?? {}) as NodeJS.ErrnoException
    throw new ChaosError(
      'CHAOS_MODULE',
      `${file} does not load: ${reasonOf(code, message ?? String(error), stack)}`,
      {
        cause: error,
      },
    )
  }
}

function reasonOf(code: string | undefined, message: string, stack: string | undefined): string {
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION')
    return `this version of Node runs no TypeScript; build it to .mjs, or take a newer Node (${message})`
  if (code === 'ERR_MODULE_NOT_FOUND' && message.includes("'@loads-runner/chaos'"))
    return `it cannot find @loads-runner/chaos; run npm install @loads-runner/chaos where it is`
  // An error of syntax has its place in the first lines of its stack only.
  const place = /^(file:\S+:\d+)/.exec(stack ?? '')?.[1]
  return place === undefined ? message : `${message} (${place})`
}

function looksLikeFault(value: object): value is Record<string, unknown> {
  return 'type' in value && ('stage' in value || 'treat' in value || 'connect' in value || 'units' in value)
}

function looksLikeProtocol(value: object): value is Record<string, unknown> {
  return 'name' in value && ('open' in value || 'error' in value)
}
