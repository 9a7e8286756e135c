import { behaviorGroup } from '../rules/behaviors.ts'
import type { RuleSet } from '../rules/rule-set.ts'
import type { FaultRequest, Rule } from '../rules/rule.ts'
import { faultScope, type FaultScope } from './fault-scope.ts'

/** A scope in which other behaviors are there, and those before it. */
interface Layer {
  before: FaultRequest[]
}

/** Scopes of one proxy; they may end in any order. */
export class FaultScopes {
  readonly #rules: RuleSet
  readonly #layers: Layer[] = []

  constructor(rules: RuleSet) {
    this.#rules = rules
  }

  /** Faults more. Those without a name get one that is free. */
  add(requests: readonly FaultRequest[]): FaultScope {
    const taken = new Set(this.#rules.all().map(({ name }) => name))
    const named = requests.map((request) => {
      const name = request.name || freeName(`${request.type}_${request.stream || 'downstream'}`, taken)
      taken.add(name)
      return { ...request, name }
    })
    const added = this.#rules.add(...named)
    return faultScope(() => {
      const names = new Set(added.map(({ name }) => name))
      this.#rules.exchange(
        this.#rules.all().filter(({ name }) => names.has(name)),
        [],
      )
    })
  }

  /** In place of the behaviors that there are. */
  behave(requests: readonly FaultRequest[]): FaultScope {
    const layer: Layer = { before: this.#behaviors().map(requestOf) }
    this.setBehavior(requests)
    this.#layers.push(layer)
    return faultScope(() => {
      const at = this.#layers.indexOf(layer)
      const above = this.#layers[at + 1]
      if (above === undefined) this.setBehavior(layer.before)
      // What was before this scope is what the next one has to restore.
      else above.before = layer.before
      this.#layers.splice(at, 1)
    })
  }

  /** In place of the behaviors that there are, for good. */
  setBehavior(requests: readonly FaultRequest[]): void {
    this.#rules.exchange(this.#behaviors(), requests)
  }

  #behaviors(): readonly Rule[] {
    return this.#rules.all().filter(({ share }) => share.draw === behaviorGroup)
  }
}

/** What was asked for, so that it can be asked for again. */
function requestOf({ type, name, stream, toxicity, shown, share }: Rule): FaultRequest {
  return { type, name, stream, toxicity, attributes: shown, share }
}

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wanted)) return wanted
  let number = 2
  while (taken.has(`${wanted}_${number}`)) number++
  return `${wanted}_${number}`
}
