import { flag, oneOf, optional, seconds, size, text, whole, words } from '../attributes.ts'
import { folded, itemsOf, type ConfigEntry, type ConfigNode } from '../config/config-node.ts'
import { plainNodes } from '../config/plain-nodes.ts'
import { Problems } from '../config/problems.ts'
import { readFault } from '../config/read-fault.ts'
import { readFields } from '../config/read-fields.ts'
import { ChaosError } from '../errors.ts'
import { readGroups } from '../partition/read-groups.ts'
import { cutModes, type CutMode } from '../partition/cut.ts'
import type { Protocol } from '../protocols/protocol.ts'
import { findProtocol } from '../protocols/registry.ts'
import type { FaultRequest } from '../rules/rule.ts'
import { foldedPhase } from './phase.ts'
import type { ScheduleStep, StepAction, StepTrigger } from './step.ts'

/** What a schedule may name. */
export interface ScheduleWorld {
  /** Names of proxies, with those of their protocols. */
  proxies: Readonly<Record<string, string>>
  /** That partitions part. */
  endpoints?: readonly string[]
}

const name = (help: string) => text({ initial: '', help, most: 200 })
const names = (help: string) =>
  words({ initial: [], help, allowed: 'a name or a list of names', check: (word) => word !== '' })

/** Keys of every step; what else is written belongs to the fault. */
const fields = {
  name: name('what it is called in events'),
  at: optional(seconds({ initial: 0, help: 'time since the start of the load' })),
  afterRequests: optional(whole({ initial: 1, min: 1, help: 'requests that came to the proxy' })),
  afterBytes: optional(size({ initial: 1, min: 1, help: 'bytes that came to the proxy' })),
  phase: name('the phase of the load that it is for'),
  for: optional(seconds({ initial: 1, min: 1, help: 'how long' })),
  every: optional(seconds({ initial: 1, min: 1, help: 'begins again after it' })),
  times: optional(whole({ initial: 1, min: 1, help: 'how often at most' })),
  proxy: names('whose'),
  of: names('whose requests or bytes are counted'),
  down: flag({ initial: true, help: 'the proxy does not listen' }),
}

const mode = oneOf(cutModes, { initial: 'blackhole', help: 'how ways are cut' })
const actions = ['fault', 'type', 'behavior', 'down', 'partition'] as const

interface Fields {
  name?: string
  at?: number
  afterRequests?: number
  afterBytes?: number
  phase?: string
  for?: number
  every?: number
  times?: number
  proxy?: readonly string[]
  of?: readonly string[]
  down?: boolean
}

/** Reads the `schedule` of a file: a list of steps. What is wrong is told to `problems`, all of it. */
export function readSchedule(node: ConfigNode, world: ScheduleWorld, problems: Problems): ScheduleStep[] {
  return itemsOf(node, 'schedule', problems).flatMap(
    (item, at) => new StepReader(item, at + 1, world, problems).read() ?? [],
  )
}

/**
 * The same for a schedule that is written in code.
 *
 * @throws {ChaosError} CHAOS_CONFIG with all that is wrong
 */
export function parseSchedule(written: unknown, world: ScheduleWorld): ScheduleStep[] {
  const problems = new Problems()
  const steps = readSchedule(plainNodes(written, 'schedule'), world, problems)
  problems.throwIfAny()
  return steps
}

class StepReader {
  readonly #node: ConfigNode
  readonly #id: number
  readonly #world: ScheduleWorld
  readonly #problems: Problems

  constructor(node: ConfigNode, id: number, world: ScheduleWorld, problems: Problems) {
    this.#node = node
    this.#id = id
    this.#world = world
    this.#problems = problems
  }

  /** Null: something is wrong, and was told. */
  read(): ScheduleStep | null {
    const before = this.#problems.list.length
    const entries = this.#node.entries
    if (entries === null) {
      this.#problem('a step is a map such as { at: 30s, for: 10s, fault: delay }')
      return null
    }
    const kinds = actions.filter((kind) => entries.some(({ key }) => folded(key) === kind))
    if (kinds.length !== 1) {
      const found = kinds.length === 0 ? 'says not what happens' : `has ${kinds.join(' and ')}`
      this.#problem(`a step ${found}: write one of fault, behavior, down, partition`)
      return null
    }
    const isOwn = ({ key }: ConfigEntry): boolean =>
      Object.keys(fields).some((each) => folded(each) === folded(key))
    const values: Fields = readFields(
      { ...this.#node, entries: entries.filter(isOwn) },
      'a step',
      fields,
      this.#problems,
    )
    const rest = { ...this.#node, entries: entries.filter((entry) => !isOwn(entry)) }
    const action = this.#action(kinds[0]!, values, rest)
    const trigger = this.#trigger(values, action)
    this.#checkTimes(values)
    if (this.#problems.list.length > before || action === null || trigger === null) return null
    return {
      id: this.#id,
      name: values.name ?? nameOf(action),
      trigger,
      forMs: values.for ?? null,
      everyMs: values.every ?? null,
      times: values.times ?? null,
      action,
    }
  }

  #action(kind: (typeof actions)[number], values: Fields, rest: ConfigNode): StepAction | null {
    if (kind === 'partition') return this.#partition(values, rest)
    const proxies = this.#proxies(values.proxy, 'proxy')
    if (kind === 'down') {
      if (values.down === false) this.#problem('down can only be true; leave the step away')
      readFields(rest, 'a step with down', {}, this.#problems)
      return { what: 'down', proxies }
    }
    if (kind === 'behavior') return this.#behavior(proxies, rest)
    const requests = this.#requests(proxies, rest)
    return requests === null ? null : { what: 'fault', proxies, request: requests }
  }

  #behavior(proxies: readonly string[], rest: ConfigNode): StepAction | null {
    const entries = rest.entries!
    const behavior = entries.find(({ key }) => folded(key) === 'behavior')!.node.value
    if (behavior === 'dummy') {
      readFields(rest, 'behavior dummy', { behavior: name('none') }, this.#problems)
      return { what: 'behavior', proxies, behavior, attributes: {} }
    }
    const fault = entries.map((entry) =>
      folded(entry.key) === 'behavior' ? { ...entry, key: 'fault' } : entry,
    )
    const request = this.#requests(proxies, { ...rest, entries: fault })
    if (request === null) return null
    const { type, toxicity, attributes = {} } = request
    const rate = toxicity === undefined ? {} : { rate: toxicity }
    return { what: 'behavior', proxies, behavior: type, attributes: { ...attributes, ...rate } }
  }

  /** A fault must suit each of the proxies. */
  #requests(proxies: readonly string[], rest: ConfigNode): FaultRequest | null {
    let request: FaultRequest | null = null
    for (const protocol of this.#protocolsOf(proxies)) {
      request = readFault(rest, protocol, this.#problems)
      if (request === null) return null
    }
    return request
  }

  #protocolsOf(proxies: readonly string[]): Set<Protocol> {
    const found = new Set<Protocol>()
    for (const proxy of proxies) {
      try {
        found.add(findProtocol(this.#world.proxies[proxy]!))
      } catch (error) {
        // What is wrong with the proxy is told where that is written.
        if (!(error instanceof ChaosError)) throw error
      }
    }
    return found
  }

  #partition(values: Fields, rest: ConfigNode): StepAction | null {
    if (values.proxy !== undefined)
      this.#problem('a partition parts endpoints, not a proxy: leave proxy away')
    let groups: readonly (readonly string[])[] = []
    const read = readFields(
      rest,
      'a step with partition',
      {
        partition: ({ node }) => (groups = readGroups(node, this.#world.endpoints ?? [], this.#problems)),
        mode,
      },
      this.#problems,
    )
    return { what: 'partition', groups, mode: (read['mode'] as CutMode | undefined) ?? mode.initial }
  }

  #trigger(values: Fields, action: StepAction | null): StepTrigger | null {
    const { at, afterRequests, afterBytes, phase } = values
    const given = Object.entries({ at, afterRequests, afterBytes, phase }).filter(
      ([, value]) => value !== undefined,
    )
    if (given.length > 1) {
      const what = given.map(([key]) => key).join(' and ')
      this.#problem(`a step begins by one thing, not by ${what}`)
      return null
    }
    const count = afterRequests ?? afterBytes
    if (count === undefined) {
      if (values.of !== undefined)
        this.#problem('of says whose requests or bytes count: write afterRequests or afterBytes')
      return phase === undefined
        ? { when: 'time', atMs: at ?? 0 }
        : { when: 'phase', phase: foldedPhase(phase) }
    }
    const own = action === null || action.what === 'partition' ? undefined : action.proxies
    const of = values.of === undefined && own !== undefined ? own : this.#proxies(values.of, 'of')
    return { when: afterRequests === undefined ? 'bytes' : 'requests', count, of }
  }

  #checkTimes({ for: lasts, every, times, afterRequests, afterBytes }: Fields): void {
    if (times !== undefined && every === undefined)
      this.#problem('times says how often a step with every begins: write every, too')
    if (every === undefined) return
    if (afterRequests !== undefined || afterBytes !== undefined)
      this.#problem('every goes by time: write at or phase in place of afterRequests or afterBytes')
    if (lasts === undefined) this.#problem('every needs for: how long it lasts each time')
    else if (lasts > every) this.#problem('for is longer than every: it would begin again before its end')
  }

  /** Nothing written: the only one there is. */
  #proxies(written: readonly string[] | undefined, key: string): readonly string[] {
    const known = Object.keys(this.#world.proxies)
    if (written === undefined || written.length === 0) {
      if (known.length === 1) return known
      this.#problem(`which proxy? Write ${key}: ${known.join(' or ') || 'NAME, and describe proxies'}`)
      return []
    }
    const unique = [...new Set(written)]
    for (const each of unique)
      if (!Object.hasOwn(this.#world.proxies, each))
        this.#problem(`there is no proxy ${each}; there are ${known.join(', ') || 'none'}`)
    return unique.filter((each) => Object.hasOwn(this.#world.proxies, each))
  }

  #problem(problem: string): void {
    this.#problems.add(this.#node.place, problem)
  }
}

function nameOf(action: StepAction): string {
  if (action.what === 'partition')
    return `partition ${action.groups.map((group) => group.join('+')).join(' | ')}`
  const whom = action.proxies.join(', ')
  if (action.what === 'down') return `${whom} down`
  return `${action.what === 'fault' ? action.request.type : action.behavior} at ${whom}`
}
