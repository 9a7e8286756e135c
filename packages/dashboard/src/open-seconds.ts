import { Delta } from '@loads-runner/metrics'
import type { AgentShare, Interval } from '@loads-runner/history'
import type { CommitEvent } from '@loads-runner/protocol'

const secondMs = 1_000
/** Seconds are closed soon; of a run whose seconds are not, some are enough. */
const most = 10

/**
 * Seconds that are not closed yet, since figures of some agent may still come. Pages see them at once, as far as they
 * are known, and again when they are closed: so they are a second behind the load and not three.
 */
export class OpenSeconds {
  readonly #open = new Map<number, OpenSecond>()
  /** The end of the last closed second. */
  #closedMs = 0

  take(event: CommitEvent, delta: Delta): void {
    const [window] = event.windows
    if (window === undefined) return
    const fromMs = Math.floor((window.fromMs + window.toMs) / 2 / secondMs) * secondMs
    // Late figures are the affair of closed seconds; those of the future are none.
    if (fromMs < this.#closedMs || fromMs > event.elapsedMs) return
    let second = this.#open.get(fromMs)
    if (second === undefined) {
      this.#open.set(fromMs, (second = { deltas: [], events: [], changed: true }))
      if (this.#open.size > most) this.#open.delete(Math.min(...this.#open.keys()))
    }
    // Not merged before somebody asks: mostly nobody looks.
    second.deltas.push(delta)
    second.events.push(event)
    second.changed = true
  }

  /** A second was closed: what is open before it has no say any more. */
  close(toMs: number): void {
    this.#closedMs = Math.max(this.#closedMs, toMs)
    for (const fromMs of this.#open.keys()) if (fromMs < toMs) this.#open.delete(fromMs)
  }

  /** The end of the last closed second; what was said of seconds after it does not hold. */
  forget(): number {
    this.#open.clear()
    return this.#closedMs
  }

  /** Seconds that have changed since the call before, in order. */
  changed(): Interval[] {
    const changed = [...this.#open]
      .filter(([, second]) => second.changed)
      .sort(([one], [other]) => one - other)
    return changed.map(([fromMs, second]) => {
      second.changed = false
      return intervalOf(fromMs, second)
    })
  }
}

interface OpenSecond {
  readonly deltas: Delta[]
  readonly events: CommitEvent[]
  changed: boolean
}

function intervalOf(fromMs: number, { deltas, events }: OpenSecond): Interval {
  let [delta = new Delta()] = deltas
  if (deltas.length > 1) {
    delta = new Delta()
    for (const each of deltas) delta.merge(each)
  }
  const last = events.at(-1)!
  const agents = new Map<string, AgentShare>()
  for (const { windows } of events)
    for (const window of windows) {
      const key = `${window.agent} ${window.incarnation}`
      const known = agents.get(key)
      agents.set(key, {
        agent: window.agent,
        incarnation: window.incarnation,
        activeUsers: window.activeUsers,
        cpu: window.cpu,
        hits: window.hits + (known?.hits ?? 0),
        windows: 1 + (known?.windows ?? 0),
        eventLoopLagMs: Math.max(window.eventLoopLagMs, known?.eventLoopLagMs ?? 0),
        latenessMs: Math.max(window.latenessMs, known?.latenessMs ?? 0),
      })
    }
  const { activeUsers, planned, started, finished, dropped, warmUp } = last
  return {
    spanMs: secondMs,
    fromMs,
    at: last.at - last.elapsedMs + fromMs,
    loadMs: secondMs,
    delta,
    warmUp,
    activeUsers,
    planned,
    started,
    finished,
    dropped,
    agents: [...agents.values()],
    revision: 0,
  }
}
