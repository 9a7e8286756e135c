import { iterationsOf, rampUpOffset, type SharedHits as SharedHitsModel } from '@loads-runner/testcase/load'
import type { UserPart } from '../load-user.ts'
import { ClosedLoop, type Member, type Turn } from './closed-loop.ts'
import type { ExecutorOptions } from './executor.ts'

/** The hits that belong to one unit, until somebody takes them. */
interface Quota {
  readonly owner: Member
  /** Number of its first hit in the stage. */
  readonly first: number
  readonly size: number
  taken: number
  done: number
}

interface SharedTurn extends Turn {
  readonly quota: Quota
}

/**
 * A fixed number of executions, made by whichever user of the thread is free: each has a quota of its own, and takes
 * from the others' when that is used up.
 */
export class SharedHits extends ClosedLoop<SharedTurn> {
  readonly #model: SharedHitsModel
  readonly #quotas = new Map<Member, Quota>()
  /** Those of which something is left, in order. */
  readonly #open = new Set<Quota>()

  constructor(options: ExecutorOptions, model: SharedHitsModel) {
    super(options)
    this.#model = model
  }

  protected override added(member: Member): void {
    const { run } = this.view
    const size = iterationsOf(run, member.unit)!
    const place = member.unit - run.firstUnit
    const { hits, users } = this.#model
    // Quotas differ by one at most, the longer ones first.
    const first = place * Math.floor(hits / users) + Math.min(place, hits % users)
    const quota = { owner: member, first, size, taken: member.iteration, done: member.iteration }
    this.#quotas.set(member, quota)
    if (quota.taken < size) this.#open.add(quota)
  }

  protected dueAt(member: Member, now: number): number | null {
    if (now >= this.endsAt || this.#open.size === 0) return null
    return this.begunAt + rampUpOffset(member.rank, this.#model.users, this.#model.rampUpMs)
  }

  protected take(member: Member): SharedTurn | null {
    const own = this.#quotas.get(member)!
    const quota = own.taken < own.size ? own : this.#open.values().next().value
    if (quota === undefined) return null
    const number = quota.first + quota.taken++
    if (quota.taken >= quota.size) this.#open.delete(quota)
    return { iteration: number, ordinal: this.view.firstOrdinal + number, quota }
  }

  protected count(_member: Member, { quota }: SharedTurn): void {
    quota.owner.progress[quota.owner.place] = ++quota.done
  }

  /** An external runner is told its own part: what it does with it is its own matter. */
  protected partOf(member: Member): Pick<UserPart, 'iterations' | 'endsAt'> {
    const quota = this.#quotas.get(member)!
    quota.taken = quota.size
    this.#open.delete(quota)
    return { iterations: quota.size, endsAt: this.endsAt === Infinity ? null : this.endsAt }
  }
}
