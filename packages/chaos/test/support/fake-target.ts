import type { FaultScope } from '../../src/proxy/fault-scope.ts'
import type { ProxyCounters } from '../../src/proxy/options.ts'
import type { FaultRequest } from '../../src/rules/rule.ts'
import type { ScheduleTarget } from '../../src/schedule/target.ts'

/** A proxy that only remembers what is done to it. Calls may be made to fail or to wait. */
export class FakeTarget implements ScheduleTarget {
  enabled = true
  readonly active = new Set<string>()
  readonly behaviors: string[] = []
  /** Everything that was done, in order. */
  readonly log: string[] = []
  requests = 0
  bytes = 0
  /** Asked before each call. */
  before: (call: string) => Promise<void> | void = () => {}

  async withFault(request: FaultRequest): Promise<FaultScope> {
    const name = request.name!
    await this.#call(`+${name}`)
    if (this.active.has(name)) throw new Error(`there is a fault ${name} already`)
    this.active.add(name)
    return this.#scope(`-${name}`, () => this.active.delete(name))
  }

  async withBehavior(name: string, attributes: Readonly<Record<string, unknown>> = {}): Promise<FaultScope> {
    const what = `${name}${JSON.stringify(attributes)}`
    await this.#call(`+${what}`)
    const token = `${what}#${this.log.length}`
    this.behaviors.push(token)
    return this.#scope(`-${what}`, () => this.behaviors.splice(this.behaviors.indexOf(token), 1))
  }

  async enable(): Promise<void> {
    await this.#call('enable')
    this.enabled = true
  }

  async disable(): Promise<void> {
    await this.#call('disable')
    this.enabled = false
  }

  counters(): ProxyCounters {
    const received = { upstream: this.bytes, downstream: 0 }
    const sent = { upstream: 0, downstream: 0 }
    return {
      accepted: 0,
      open: 0,
      dialErrors: 0,
      requests: this.requests,
      received,
      sent,
      held: 0,
      faults: {},
    }
  }

  /** As a new one. */
  get isUntouched(): boolean {
    return this.enabled && this.active.size === 0 && this.behaviors.length === 0
  }

  #scope(call: string, undo: () => void): FaultScope {
    let isOver = false
    const end = async (): Promise<void> => {
      if (isOver) return
      await this.#call(call)
      isOver = true
      undo()
    }
    return { end, [Symbol.asyncDispose]: end }
  }

  async #call(call: string): Promise<void> {
    await this.before(call)
    this.log.push(call)
  }
}
