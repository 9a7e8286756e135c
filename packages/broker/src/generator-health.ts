/** Loop lag, in milliseconds, above which a window counts as late. */
const lagLimitMs = 10
/** Share of late windows above which the figures are doubtful. */
const lateShare = 0.05
/** Fewer windows say nothing: the first requests of a run make one or two of them late and busy. */
const leastWindows = 3
/** CPU per worker above which a generator is at its limit. */
const busyCpu = 0.9

interface AgentHealth {
  windows: number
  late: number
  cpuSum: number
  workers: number
  lastLagMs: number
  lastCpu: number
}

/** Did the machines that made the load keep up? Judged per agent from what its windows say about themselves. */
export class GeneratorHealth {
  readonly #agents = new Map<string, AgentHealth>()
  /** Windows by lag: exact to 0.1 ms up to a second, so 10,000 counters at most. */
  readonly #lags = new Map<number, number>()
  #windows = 0

  take(agent: string, workers: number, lagMs: number, cpu: number): void {
    let health = this.#agents.get(agent)
    if (health === undefined) {
      health = { windows: 0, late: 0, cpuSum: 0, workers, lastLagMs: 0, lastCpu: 0 }
      this.#agents.set(agent, health)
    }
    health.windows++
    if (lagMs > lagLimitMs) health.late++
    health.cpuSum += cpu
    health.lastLagMs = lagMs
    health.lastCpu = cpu
    const tenths = Math.min(10_000, Math.round(lagMs * 10))
    this.#lags.set(tenths, (this.#lags.get(tenths) ?? 0) + 1)
    this.#windows++
  }

  /** The worst lag and the sum of cores of the given agents, by their last windows. */
  latest(agents: Iterable<string>): { eventLoopLagMs: number; cpu: number } {
    const latest = { eventLoopLagMs: 0, cpu: 0 }
    for (const agent of agents) {
      const health = this.#agents.get(agent)
      if (health === undefined) continue
      latest.eventLoopLagMs = Math.max(latest.eventLoopLagMs, health.lastLagMs)
      latest.cpu += health.lastCpu
    }
    return latest
  }

  /** Milliseconds; over all windows of all agents. Null without windows. */
  lagP99(): number | null {
    if (this.#windows === 0) return null
    let left = Math.ceil(this.#windows * 0.99)
    for (const [tenths, count] of [...this.#lags].sort(([a], [b]) => a - b)) {
      left -= count
      if (left <= 0) return tenths / 10
    }
    return 0
  }

  /** Mean cores in use over the run, summed over agents. Null without windows. */
  cpu(): number | null {
    if (this.#windows === 0) return null
    let sum = 0
    for (const { cpuSum, windows } of this.#agents.values()) sum += cpuSum / windows
    return Math.round(sum * 1000) / 1000
  }

  /** Sentences for people; empty when every generator kept up. */
  warnings(): string[] {
    const warnings: string[] = []
    const late: { agent: string; percent: number }[] = []
    const busy: string[] = []
    for (const [agent, health] of [...this.#agents].sort(([a], [b]) => a.localeCompare(b))) {
      if (health.windows < leastWindows) continue
      if (health.late >= leastWindows && health.late / health.windows > lateShare) {
        late.push({ agent, percent: Math.round((100 * health.late) / health.windows) })
      } else if (health.cpuSum / health.windows > busyCpu * Math.max(1, health.workers)) busy.push(agent)
    }
    if (late.length > 0) {
      const percents = late.map((each) => each.percent)
      const [least, most] = [Math.min(...percents), Math.max(...percents)]
      warnings.push(
        `${namesOf(late.map((each) => each.agent))} late: event-loop lag above ${lagLimitMs} ms in ` +
          `${least === most ? most : `${least} to ${most}`} % of the windows; ` +
          'use fewer users per agent, more workers or more agents',
      )
    }
    if (busy.length > 0)
      warnings.push(`${namesOf(busy)} busy with all load threads; use more workers or more agents`)
    return warnings
  }
}

/** `a was`, `a and b were`, `a, b and 3 more were`. */
function namesOf(agents: readonly string[]): string {
  const [first, second] = agents
  if (agents.length === 1) return `${first} was`
  if (agents.length === 2) return `${first} and ${second} were`
  return `${first}, ${second} and ${agents.length - 2} more were`
}
