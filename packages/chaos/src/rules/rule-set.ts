import { ChaosError } from '../errors.ts'
import type { Protocol } from '../protocols/protocol.ts'
import { changeRule, parseRule } from './parse-rule.ts'
import type { FaultRequest, Rule } from './rule.ts'

export interface RuleChange {
  what: 'added' | 'updated' | 'removed'
  rule: Rule
  /** Of an update. */
  before: Rule | null
}

/** The rules of a proxy, in order of creation. Changes are told at once; nobody waits for connections. */
export class RuleSet {
  readonly protocol: Protocol
  /** Replaced as a whole by each change: who holds it has a consistent picture. */
  #rules: readonly Rule[] = []
  readonly #changed: (changes: readonly RuleChange[]) => void
  readonly #terminatesTls: () => boolean | undefined

  /** @param terminatesTls whether the proxy speaks TLS with its clients; undefined: not known */
  constructor(
    protocol: Protocol,
    changed: (changes: readonly RuleChange[]) => void,
    terminatesTls: () => boolean | undefined = () => undefined,
  ) {
    this.protocol = protocol
    this.#changed = changed
    this.#terminatesTls = terminatesTls
  }

  all(): readonly Rule[] {
    return this.#rules
  }

  /** @throws {ChaosError} CHAOS_NOT_FOUND */
  get(name: string): Rule {
    const rule = this.#rules.find((each) => each.name === name)
    if (rule === undefined) throw new ChaosError('CHAOS_NOT_FOUND', `there is no fault ${name}`)
    return rule
  }

  /**
   * All or none, in one step.
   *
   * @throws {ChaosError} CHAOS_EXISTS, and what parseRule throws
   */
  add(...requests: readonly FaultRequest[]): readonly Rule[] {
    return this.exchange([], requests)
  }

  /**
   * Takes some rules away and adds others, in one step.
   *
   * @throws {ChaosError} what `add` throws; then nothing has changed
   */
  exchange(removed: readonly Rule[], requests: readonly FaultRequest[]): readonly Rule[] {
    const kept = this.#rules.filter((rule) => !removed.includes(rule))
    const added: Rule[] = []
    for (const request of requests) {
      const rule = parseRule(request, this.protocol, this.#terminatesTls())
      if ([...kept, ...added].some(({ name }) => name === rule.name))
        throw new ChaosError(
          'CHAOS_EXISTS',
          `there is a fault ${rule.name} already; give this one another name`,
        )
      added.push(rule)
    }
    this.#rules = [...kept, ...added]
    this.#tell([
      ...removed.map((rule) => ({ what: 'removed' as const, rule, before: null })),
      ...added.map((rule) => ({ what: 'added' as const, rule, before: null })),
    ])
    return added
  }

  /**
   * Attributes are merged; name, type and stream stay.
   *
   * @throws {ChaosError} CHAOS_NOT_FOUND, CHAOS_ATTRIBUTE
   */
  update(
    name: string,
    changes: { attributes?: Readonly<Record<string, unknown>> | undefined; toxicity?: number | undefined },
  ): Rule {
    const before = this.get(name)
    const rule = changeRule(before, changes, this.protocol, this.#terminatesTls())
    this.#checkShare(rule)
    this.#rules = this.#rules.map((each) => (each === before ? rule : each))
    this.#tell([{ what: 'updated', rule, before }])
    return rule
  }

  /** @throws {ChaosError} CHAOS_NOT_FOUND */
  remove(name: string): void {
    this.exchange([this.get(name)], [])
  }

  clear(): void {
    this.exchange(this.#rules, [])
  }

  /**
   * Exactly these from now on, in one step: what was asked for a scope, or what there was before it.
   *
   * @throws {ChaosError} what `add` throws; then nothing has changed
   */
  replace(requests: readonly FaultRequest[]): void {
    this.exchange(this.#rules, requests)
  }

  /** Rules that share a draw never meet. */
  #checkShare({ name, share: { draw, from, to } }: Rule): void {
    const next = this.#rules
      .filter((each) => each.name !== name && each.share.draw === draw && each.share.from >= from)
      .reduce((least, each) => Math.min(least, each.share.from), 1)
    // Fractions such as 0.1 do not add up exactly.
    if (to > next + 1e-9)
      throw new ChaosError(
        'CHAOS_ATTRIBUTE',
        `toxicity of ${name} can be ${next - from} at most beside the other behaviors: set all of them anew`,
      )
  }

  #tell(changes: readonly RuleChange[]): void {
    if (changes.length > 0) this.#changed(changes)
  }
}
