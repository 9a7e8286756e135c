import type { TaintReason } from '@loads-runner/metrics'
import type { WindowMessage } from '@loads-runner/protocol'
import { Taints, type Taint } from './taints.ts'

/** Loop lag, and lateness of starts with a user free, in milliseconds, above which a window counts as late. */
const lateLimitMs = 10
/** Share of late windows above which the figures are doubtful. */
const lateShare = 0.05
/** Fewer windows say nothing: the first requests of a run make one or two of them late and busy. */
const leastWindows = 3
/** CPU per worker above which a generator is at its limit. */
const busyCpu = 0.9
/** Share of the time spent on garbage above which it shows in the figures. */
const muchGc = 0.1

/** A window that is shorter, as the last one of a run may be, says nothing of shares of its time. */
const leastSpanMs = 250

/** What a window says about the agent that it comes from. */
export type WindowHealth = Pick<WindowMessage, 'fromMs' | 'toMs' | 'generator'>

interface AgentHealth {
  windows: number
  /** Windows with loop lag, late starts, or either, above the limit. */
  lagging: number
  late: number
  behind: number
  cpuSum: number
  gcMs: number
  spanMs: number
  portsExhausted: boolean
  workers: number
  readonly taints: Taints
}

/**
 * Did the machines that made the load keep up? Judged per agent from what its windows say about themselves. Windows of
 * the warm-up are shown, not judged: code is still being compiled then.
 */
export class GeneratorHealth {
  readonly #isOpen: boolean
  readonly #agents = new Map<string, AgentHealth>()
  readonly #latest = new Map<string, WindowMessage['generator']>()
  /** Windows by lag: exact to 0.1 ms up to a second, so 10,000 counters at most. */
  readonly #lags = new Map<number, number>()
  #windows = 0

  /** @param isOpen the run has an open model: one that a generator can be too slow for */
  constructor(isOpen: boolean) {
    this.#isOpen = isOpen
  }

  take(agent: string, workers: number, window: WindowHealth, isWarmUp: boolean): void {
    const { generator, fromMs, toMs } = window
    this.#latest.set(agent, generator)
    if (isWarmUp) return
    let health = this.#agents.get(agent)
    if (health === undefined) this.#agents.set(agent, (health = newHealth(workers)))
    const isLagging = generator.eventLoopLagMs > lateLimitMs
    const isLate = generator.latenessMs > lateLimitMs
    const spanMs = Math.max(1, toMs - fromMs)
    health.windows++
    if (isLagging) health.lagging++
    if (isLate) health.late++
    if (isLagging || isLate) health.behind++
    health.cpuSum += generator.cpu
    health.gcMs += generator.gcMs
    health.spanMs += spanMs
    if (generator.portsExhausted) health.portsExhausted = true
    const reasons: TaintReason[] = []
    if (isLagging) reasons.push('event-loop-lag')
    if (spanMs >= leastSpanMs) {
      if (generator.cpu > busyCpu * Math.max(1, workers)) reasons.push('cpu')
      if (generator.gcMs > muchGc * spanMs) reasons.push('gc')
    }
    if (isLate) reasons.push('lateness')
    if (generator.portsExhausted) reasons.push('ports')
    health.taints.add(fromMs, toMs, reasons)
    const tenths = Math.min(10_000, Math.round(generator.eventLoopLagMs * 10))
    this.#lags.set(tenths, (this.#lags.get(tenths) ?? 0) + 1)
    this.#windows++
  }

  /** The worst lag and lateness and the sum of cores of the given agents, by their last windows. */
  latest(agents: Iterable<string>): { eventLoopLagMs: number; cpu: number; latenessMs: number } {
    const latest = { eventLoopLagMs: 0, cpu: 0, latenessMs: 0 }
    for (const agent of agents) {
      const last = this.#latest.get(agent)
      if (last === undefined) continue
      latest.eventLoopLagMs = Math.max(latest.eventLoopLagMs, last.eventLoopLagMs)
      latest.latenessMs = Math.max(latest.latenessMs, last.latenessMs)
      latest.cpu += last.cpu
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

  /** Share of the time (0 to 1) that the worst agent spent on garbage. Null without windows. */
  gcShare(): number | null {
    if (this.#windows === 0) return null
    const shares = [...this.#agents.values()].map(({ gcMs, spanMs }) => gcMs / spanMs)
    return Math.round(Math.min(1, Math.max(...shares)) * 10_000) / 10_000
  }

  /** Times in which an agent did not keep up, in order of agents and time. A run of a moment says nothing of it. */
  tainted(): ({ agent: string } & Taint)[] {
    const doubtful = this.#inOrder().filter(
      ([, { portsExhausted }]) => this.#windows >= leastWindows || portsExhausted,
    )
    return doubtful.flatMap(([agent, { taints }]) => taints.all().map((taint) => ({ agent, ...taint })))
  }

  /** Why an open model was not made as planned, as a sentence; null when it was, and in closed models. */
  limit(): string | null {
    if (!this.#isOpen) return null
    const behind = this.#shares((health) => health.behind)
    if (behind.length === 0) return null
    return (
      `generator-limited: ${namesOf(behind)} late by more than ${lateLimitMs} ms in ${percents(behind)} % of the ` +
      'windows (event-loop lag, or starts with a user free); use a lower rate per agent, more workers or more agents'
    )
  }

  /** Sentences for people; empty when every generator kept up. */
  warnings(): string[] {
    const warnings: string[] = []
    const lagging = this.#shares((health) => health.lagging)
    if (lagging.length > 0) {
      warnings.push(
        `${namesOf(lagging)} late: event-loop lag above ${lateLimitMs} ms in ${percents(lagging)} % of the windows; ` +
          'use fewer users per agent, more workers or more agents',
      )
    }
    const late = this.#shares((health) => health.late)
    if (late.length > 0) {
      warnings.push(
        `${namesOf(late)} late with starts although users were free: above ${lateLimitMs} ms in ${percents(late)} % of ` +
          'the windows; use a lower rate per agent, more workers or more agents, or --precise',
      )
    }
    const laggards = new Set(lagging.map(({ agent }) => agent))
    const busy = this.#judged().filter(([agent, { cpuSum, windows, workers }]) => {
      return !laggards.has(agent) && cpuSum / windows > busyCpu * Math.max(1, workers)
    })
    if (busy.length > 0)
      warnings.push(`${namesOf(named(busy))} busy with all load threads; use more workers or more agents`)
    const littered = this.#judged().filter(([, { gcMs, spanMs }]) => gcMs > muchGc * spanMs)
    if (littered.length > 0) {
      warnings.push(
        `${namesOf(named(littered))} collecting garbage for more than ${muchGc * 100} % of the time; make less of it in ` +
          'the tests (large answers, copies), or use fewer users per agent or more agents',
      )
    }
    const portless = this.#inOrder().filter(([, { portsExhausted }]) => portsExhausted)
    if (portless.length > 0) {
      warnings.push(
        `${namesOf(named(portless))} out of local ports: connections failed for lack of them, not by the target; keep ` +
          'connections alive, use more source addresses or more agents',
      )
    }
    return warnings
  }

  #inOrder(): [string, AgentHealth][] {
    return [...this.#agents].sort(([a], [b]) => a.localeCompare(b))
  }

  #judged(): [string, AgentHealth][] {
    return this.#inOrder().filter(([, { windows }]) => windows >= leastWindows)
  }

  /** The agents of which too large a share of windows is of a kind. */
  #shares(count: (health: AgentHealth) => number): { agent: string; percent: number }[] {
    return this.#judged()
      .filter(([, health]) => count(health) >= leastWindows && count(health) / health.windows > lateShare)
      .map(([agent, health]) => ({ agent, percent: Math.round((100 * count(health)) / health.windows) }))
  }
}

function newHealth(workers: number): AgentHealth {
  return {
    windows: 0,
    lagging: 0,
    late: 0,
    behind: 0,
    cpuSum: 0,
    gcMs: 0,
    spanMs: 0,
    portsExhausted: false,
    workers,
    taints: new Taints(),
  }
}

function named(agents: readonly [string, AgentHealth][]): { agent: string }[] {
  return agents.map(([agent]) => ({ agent }))
}

/** `12` or `5 to 30`. */
function percents(agents: readonly { percent: number }[]): string {
  const all = agents.map(({ percent }) => percent)
  const [least, most] = [Math.min(...all), Math.max(...all)]
  return least === most ? `${most}` : `${least} to ${most}`
}

/** `a was`, `a and b were`, `a, b and 3 more were`. */
function namesOf(agents: readonly { agent: string }[]): string {
  const [first, second] = agents.map(({ agent }) => agent)
  if (agents.length === 1) return `${first} was`
  if (agents.length === 2) return `${first} and ${second} were`
  return `${first}, ${second} and ${agents.length - 2} more were`
}
