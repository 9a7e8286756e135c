import type { ProxyCounters } from '../proxy/options.ts'
import type { ScheduleClock } from './clock.ts'
import type { ScheduleStep } from './step.ts'
import type { ScheduleTarget } from './target.ts'
import type { Timer } from '../faults/stage.ts'

/** How often counters are looked at. */
const pollMs = 100

type Counted = ScheduleStep & { trigger: { when: 'requests' | 'bytes' } }

/** Waits for steps that go by what has come to proxies. */
export class Counts {
  readonly #waiting: Set<Counted>
  readonly #target: (proxy: string) => ScheduleTarget
  readonly #clock: ScheduleClock
  readonly #due: (step: ScheduleStep) => void
  readonly #failed: (step: ScheduleStep, error: Error) => void
  /** What there was at the start. */
  readonly #before = new Map<string, ProxyCounters>()
  readonly #told = new Set<Counted>()
  #timer: Timer | null = null
  #isOver = false

  constructor(
    steps: readonly ScheduleStep[],
    {
      target,
      clock,
      due,
      failed,
    }: {
      target: (proxy: string) => ScheduleTarget
      clock: ScheduleClock
      due: (step: ScheduleStep) => void
      failed: (step: ScheduleStep, error: Error) => void
    },
  ) {
    this.#waiting = new Set(steps.filter(isCounted))
    this.#target = target
    this.#clock = clock
    this.#due = due
    this.#failed = failed
  }

  start(): void {
    if (this.#waiting.size > 0) void this.#look()
  }

  stop(): void {
    this.#isOver = true
    this.#timer?.cancel()
  }

  async #look(): Promise<void> {
    const now = new Map<string, ProxyCounters | Error>()
    const names = new Set([...this.#waiting].flatMap(({ trigger }) => trigger.of))
    await Promise.all([...names].map(async (name) => now.set(name, await this.#counters(name))))
    if (this.#isOver) return
    for (const [name, counters] of now)
      if (!(counters instanceof Error) && !this.#before.has(name)) this.#before.set(name, counters)
    for (const step of this.#waiting) this.#check(step, now)
    if (this.#waiting.size > 0) this.#timer = this.#clock.after(pollMs, () => void this.#look())
  }

  async #counters(name: string): Promise<ProxyCounters | Error> {
    try {
      return await this.#target(name).counters()
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  #check(step: Counted, now: ReadonlyMap<string, ProxyCounters | Error>): void {
    const { when, of, count } = step.trigger
    let sum = 0
    for (const name of of) {
      const counters = now.get(name)!
      if (counters instanceof Error) {
        // It may come back: told once, and looked at again.
        if (!this.#told.has(step)) this.#failed(step, counters)
        this.#told.add(step)
        return
      }
      sum += counted(counters, when) - counted(this.#before.get(name)!, when)
    }
    if (sum < count) return
    this.#waiting.delete(step)
    this.#due(step)
  }
}

function isCounted(step: ScheduleStep): step is Counted {
  return step.trigger.when === 'requests' || step.trigger.when === 'bytes'
}

function counted({ requests, received }: ProxyCounters, when: 'requests' | 'bytes'): number {
  return when === 'requests' ? requests : received.upstream + received.downstream
}
