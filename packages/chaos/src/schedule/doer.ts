import { ChaosError } from '../errors.ts'
import { DownScopes } from '../proxy/down-scopes.ts'
import { faultScope, type FaultScope } from '../proxy/fault-scope.ts'
import type { ScheduleStep } from './step.ts'
import type { PartitionTarget, ScheduleTarget } from './target.ts'
import type { Turns } from './turns.ts'

/** Turns of the partition matrix; no proxy has such a name. */
const matrixTurn = '\u0000partition'

export interface Begun {
  /** To be ended: what was done; where that failed, what of it could not be undone. */
  scopes: FaultScope[]
  /** What went wrong; null: nothing. */
  failure: string | null
}

/** Does what steps say, to proxies and partitions, and undoes it. */
export class Doer {
  readonly #target: (proxy: string) => ScheduleTarget
  readonly #partitions: PartitionTarget | null
  readonly #turns: Turns
  readonly #lost = new Map<Promise<unknown>, ScheduleStep>()
  /** Of proxies that steps have taken down. */
  readonly #downs = new Map<string, DownScopes>()

  constructor(target: (proxy: string) => ScheduleTarget, partitions: PartitionTarget | null, turns: Turns) {
    this.#target = target
    this.#partitions = partitions
    this.#turns = turns
  }

  /**
   * To all whom it names, or to none.
   *
   * @param isStill asked when its turn has come; false: it is not done
   */
  async begin(step: ScheduleStep, isStill: () => boolean): Promise<Begun> {
    const { action } = step
    const whose = action.what === 'partition' ? [matrixTurn] : action.proxies
    const begun = await Promise.allSettled(
      whose.map((name) =>
        this.#turns.take(
          name,
          async () => (isStill() ? this.#withTurns(name, await this.#do(step, name)) : null),
          (late) => this.#awaitLost(step, late),
        ),
      ),
    )
    const scopes = begun.flatMap((each) =>
      each.status === 'fulfilled' && each.value !== null ? [each.value] : [],
    )
    const failed = begun.find((each) => each.status === 'rejected')
    if (failed === undefined) return { scopes, failure: null }
    const ends = await Promise.allSettled(scopes.map((scope) => scope.end()))
    return {
      scopes: scopes.filter((_, at) => ends[at]!.status === 'rejected'),
      failure: messageOf(failed.reason),
    }
  }

  /** Steps that were given up, of which it is not known whether they were done. */
  lost(): readonly ScheduleStep[] {
    return [...this.#lost.values()]
  }

  /** What was given up may come true all the same: then it is undone. */
  #awaitLost(step: ScheduleStep, late: Promise<FaultScope | null>): void {
    this.#lost.set(late, step)
    late.then(
      (scope) =>
        scope?.end().then(
          () => this.#lost.delete(late),
          () => {},
        ),
      () => this.#lost.delete(late),
    )
  }

  async #do({ action, id }: ScheduleStep, name: string): Promise<FaultScope> {
    if (action.what === 'partition') {
      if (this.#partitions === null)
        throw new ChaosError(
          'CHAOS_STATE',
          'there are no partitions here: describe endpoints under partitions',
        )
      return this.#partitions.partition(action.groups, { mode: action.mode })
    }
    const target = this.#target(name)
    if (action.what === 'behavior') return target.withBehavior(action.behavior, action.attributes)
    if (action.what === 'down') return this.#takeDown(target, name)
    // Two steps may use one fault at the same time: each has its own.
    return target.withFault({ ...action.request, name: `schedule_${id}_${action.request.type}` })
  }

  #takeDown(target: ScheduleTarget, name: string): Promise<FaultScope> {
    let downs = this.#downs.get(name)
    if (downs === undefined) {
      const isEnabled = async () => target.enabled ?? (await target.state!()).enabled
      downs = new DownScopes({
        isEnabled,
        enable: () => target.enable(),
        disable: () => target.disable(),
      })
      this.#downs.set(name, downs)
    }
    return downs.begin()
  }

  /** Its end waits for its turn, too. */
  #withTurns(name: string, scope: FaultScope): FaultScope {
    return faultScope(() => this.#turns.take(name, () => scope.end()))
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
