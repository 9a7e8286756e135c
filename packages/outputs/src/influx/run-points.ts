import type { Summary } from '@loads-runner/metrics'
import type { AgentShare, Interval } from '@loads-runner/history'
import type { OutputRecord, OutputRun } from '../output.ts'
import { EventPoints } from './event-points.ts'
import { FigurePoints, type Span } from './figure-points.ts'
import { latencyRows } from './latency-rows.ts'
import { known, type Point } from './point.ts'
import { figuresOfDelta, figuresOfRun, runFields } from './run-figures.ts'
import { StartsTrack, type Starts } from './starts-track.ts'
import { Times } from './times.ts'

/** The span of points that hold the whole run so far. */
export const wholeRun = 'run'

/**
 * Makes points of the records of one run, by the measurements in this package's README. Records that are handed over
 * again give the same points, so that writing them again does no harm.
 */
export class RunPoints {
  readonly #run: OutputRun
  /** Of every point. */
  readonly #tags: Readonly<Record<string, string>>
  readonly #times = new Times()
  readonly #figures = new FigurePoints(this.#times)
  readonly #starts = new StartsTrack()
  readonly #events: EventPoints
  #summary: Summary | null = null

  constructor(run: OutputRun) {
    this.#run = run
    this.#tags = { run: run.runId, project: run.spec.project ?? '' }
    this.#events = new EventPoints(run, this.#tags)
  }

  /** What a record says of its time or moment. The whole run so far is apart: see {@link soFar}. */
  of(record: OutputRecord): Point[] {
    switch (record.type) {
      case 'interval':
        return this.#interval(record.interval)
      case 'event':
        return this.#events.of(record.event)
      case 'end':
        this.#summary = record.summary
        return this.#events.end(record.summary)
      case 'figures':
      case 'raw':
        return []
    }
  }

  /** One mark at the present, to see whether points can be written at all. */
  opening(): Point {
    return this.#events.opening()
  }

  /**
   * The whole run so far as one point of each series (`span` is `run`), exact quantiles included. Its time is the
   * beginning of the load, so each one overwrites the one before.
   *
   * @param detailed false: `loads_run` only, which costs little
   */
  soFar(detailed: boolean): Point[] {
    const { view } = this.#run
    if (view.startedAt === null) return []
    const span: Span = {
      tags: { ...this.#tags, span: wholeRun },
      at: Math.round(view.startedAt),
      loadMs: this.#loadMs(),
    }
    const { planned, started, dropped } = view
    const total = this.#together(
      runFields(figuresOfRun(view.aggregate), span.loadMs),
      span,
      view.isOpen ? { planned, started, dropped, ms: this.#elapsedMs() } : null,
      {
        active_users: view.activeUsers,
        duration_seconds: this.#elapsedMs() / 1000,
      },
    )
    if (!detailed) return [total]
    return [total, ...this.#figures.of(view.aggregate.toDelta(), span), ...this.#agentStates(span)]
  }

  #interval(interval: Interval): Point[] {
    const { delta, agents, fromMs, spanMs, loadMs, warmUp } = interval
    const span: Span = {
      tags: { ...this.#tags, span: `${spanMs / 1000}s` },
      at: Math.round(interval.at),
      loadMs,
    }
    const starts = this.#run.view.isOpen ? this.#starts.during(interval) : null
    // Figures of the warm-up are left out where it ends in this interval; starts are not.
    const startsMs = warmUp ? loadMs : loadMs + Math.max(0, this.#run.spec.warmUpMs - fromMs)
    const total = this.#together(
      runFields(figuresOfDelta(delta, this.#times), loadMs),
      span,
      starts === null ? null : { ...starts, ms: startsMs },
      {
        active_users: interval.activeUsers,
        warm_up: warmUp,
        elapsed_seconds: fromMs / 1000,
      },
    )
    return [
      total,
      ...this.#figures.of(delta, span),
      ...latencyRows(delta, span),
      ...this.#agentShares(agents, span),
    ]
  }

  #together(
    figures: Record<string, number | null>,
    span: Span,
    starts: (Starts & { ms: number }) | null,
    more: Record<string, number | boolean>,
  ): Point {
    const schedule = starts === null ? {} : scheduleFields(starts, starts.ms)
    const fields = known({ ...figures, ...schedule, ...more })
    return { measurement: 'loads_run', tags: span.tags, fields, at: span.at }
  }

  #agentShares(agents: readonly AgentShare[], { tags, at, loadMs }: Span): Point[] {
    return merged(agents).map((share) => ({
      measurement: 'loads_agents',
      tags: { ...tags, agent: share.agent, host: this.#hostOf(share) },
      fields: known({
        active_users: share.activeUsers,
        hits: share.hits,
        per_second: loadMs > 0 ? (share.hits * 1000) / loadMs : null,
        event_loop_lag_ms: share.eventLoopLagMs,
        cpu: share.cpu,
        lateness_ms: share.latenessMs,
        windows: share.windows,
      }),
      at,
    }))
  }

  /** How each agent stands: the last incarnation of it, with the work of all. */
  #agentStates({ tags, at }: Span): Point[] {
    const points = new Map<string, Point>()
    for (const agent of this.#run.view.agents.values()) {
      const before = points.get(agent.id)?.fields
      const sum = (name: string, value: number) => Number(before?.[name] ?? 0) + value
      points.set(agent.id, {
        measurement: 'loads_agents',
        tags: { ...tags, agent: agent.id, host: agent.host },
        fields: {
          state: agent.state,
          active_users: agent.activeUsers,
          hits: sum('hits', agent.hits),
          windows: sum('windows', agent.windows),
          windows_missing: sum('windows_missing', agent.windowsMissing),
        },
        at,
      })
    }
    return [...points.values()]
  }

  #hostOf({ agent, incarnation }: AgentShare): string {
    return this.#run.view.agents.get(`${agent} ${incarnation}`)?.host ?? ''
  }

  #elapsedMs(): number {
    return this.#summary === null ? this.#run.view.elapsedMs() : this.#summary.durationSeconds * 1000
  }

  /** Without the warm-up, whose figures are in no total. */
  #loadMs(): number {
    const warmUpMs =
      this.#summary === null ? this.#run.spec.warmUpMs : (this.#summary.warmUp?.seconds ?? 0) * 1000
    return Math.max(0, this.#elapsedMs() - warmUpMs)
  }
}

function scheduleFields({ planned, started, dropped }: Starts, ms: number): Record<string, number | null> {
  const perSecond = (count: number) => (ms > 0 ? (count * 1000) / ms : null)
  return {
    planned,
    started,
    dropped,
    planned_per_second: perSecond(planned),
    started_per_second: perSecond(started),
    dropped_per_second: perSecond(dropped),
  }
}

/** An agent that came back has two incarnations in one interval, and one line. */
function merged(shares: readonly AgentShare[]): AgentShare[] {
  const byAgent = new Map<string, AgentShare>()
  for (const share of shares) {
    const before = byAgent.get(share.agent)
    if (before === undefined) {
      byAgent.set(share.agent, share)
      continue
    }
    const windows = before.windows + share.windows
    byAgent.set(share.agent, {
      ...share,
      hits: before.hits + share.hits,
      windows,
      eventLoopLagMs: Math.max(before.eventLoopLagMs, share.eventLoopLagMs),
      cpu: windows > 0 ? (before.cpu * before.windows + share.cpu * share.windows) / windows : share.cpu,
      latenessMs: Math.max(before.latenessMs, share.latenessMs),
    })
  }
  return [...byAgent.values()]
}
