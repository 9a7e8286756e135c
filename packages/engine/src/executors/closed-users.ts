import { rampUpOffset, type ConstantUsers, type HitsPerUser } from '@loads-runner/testcase/load'
import type { UserPart } from '../load-user.ts'
import { ClosedLoop, type Member, type Turn } from './closed-loop.ts'
import type { ExecutorOptions } from './executor.ts'

/** A fixed number of users: for a time, or with a number of executions each. */
export class ClosedUsers extends ClosedLoop {
  readonly #model: ConstantUsers | HitsPerUser
  readonly #iterations: number | null

  constructor(options: ExecutorOptions, model: ConstantUsers | HitsPerUser) {
    super(options)
    this.#model = model
    this.#iterations = model.type === 'hits-per-user' ? model.iterations : null
  }

  protected dueAt(member: Member, now: number): number | null {
    if (now >= this.endsAt) return null
    if (this.#iterations !== null && member.iteration >= this.#iterations) return null
    return this.begunAt + rampUpOffset(member.rank, this.#model.users, this.#model.rampUpMs)
  }

  protected take(member: Member): Turn {
    const { run, firstOrdinal } = this.view
    const iteration = member.iteration++
    return { iteration, ordinal: firstOrdinal + iteration * run.units + member.unit - run.firstUnit }
  }

  protected count(member: Member, turn: Turn): void {
    member.progress[member.place] = turn.iteration + 1
  }

  protected partOf(): Pick<UserPart, 'iterations' | 'endsAt'> {
    return { iterations: this.#iterations, endsAt: this.endsAt === Infinity ? null : this.endsAt }
  }
}
