import type { AgentState } from '@loads-runner/protocol'
import type { MovedUnit } from '@loads-runner/testcase/load'
import type { RegisteredAgent } from './agent-registry.ts'
import type { Member } from './member.ts'
import { deal, type Progress } from './respread.ts'

/** The agents of one run. */
export class Roster {
  readonly #members = new Map<string, Member>()

  add(member: Member): void {
    this.#members.set(member.id, member)
  }

  [Symbol.iterator](): IterableIterator<Member> {
    return this.#members.values()
  }

  all(): Member[] {
    return [...this.#members.values()]
  }

  /** Those that can still make load. */
  working(): Member[] {
    return this.all().filter((member) => member.working)
  }

  /** Asked for every window, so it makes no array and stops at the first that is not. */
  everyWorking(isSo: (member: Member) => boolean): boolean {
    for (const member of this.#members.values()) if (member.working && !isSo(member)) return false
    return true
  }

  ids(): string[] {
    return [...this.#members.keys()]
  }

  byId(id: string): Member | undefined {
    return this.#members.get(id)
  }

  /** null when the agent is not in the run, or is another process than the one that is. */
  of(agent: RegisteredAgent): Member | null {
    const member = this.#members.get(agent.id)
    return member?.agent === agent ? member : null
  }

  /** The member that this agent was before it was given up, and that has come back to life since. */
  formerly(agent: RegisteredAgent): Member | null {
    const member = this.#members.get(agent.id)
    if (member === undefined || !member.gone) return null
    return member.agent.identity.incarnation === agent.identity.incarnation ? member : null
  }

  every(state: AgentState): boolean {
    return this.all().every((member) => member.state === state)
  }

  /**
   * Gives units of one agent to all others at work, a fair share of every stage to each.
   *
   * @returns who got what; null when no other agent is at work
   */
  move(
    from: Member,
    units: readonly MovedUnit[],
    progress: Progress,
  ): { agent: string; units: MovedUnit[] }[] | null {
    const others = this.working().filter((member) => member !== from)
    if (others.length === 0) return null
    from.giveAway(units, progress)
    const parts = deal(units, others.length)
    return others.map((member, index) => {
      member.takeOver(parts[index]!)
      return { agent: member.id, units: parts[index]! }
    })
  }

  clear(): void {
    this.#members.clear()
  }
}
