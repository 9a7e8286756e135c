import type { AgentView, CommittedWindow } from '@loads-runner/protocol'

/** How one agent does, by the windows of it that were committed. */
export class AgentFigures {
  readonly agent: string
  readonly incarnation: string
  /** So far, those of the warm-up included. */
  hits = 0
  windows = 0
  activeUsers = 0
  /** Of its last window, in milliseconds. */
  eventLoopLagMs = 0
  /** Cores in use, by its last window. */
  cpu = 0
  /** Of its last window, in milliseconds. */
  latenessMs = 0
  /** Milliseconds of the run at which its last window ended; null before the first. */
  toMs: number | null = null

  constructor(agent: string, incarnation: string) {
    this.agent = agent
    this.incarnation = incarnation
  }

  /** What a snapshot says of an agent: the windows before it. */
  static of(view: AgentView): AgentFigures {
    const figures = new AgentFigures(view.id, view.incarnation)
    figures.hits = view.hits
    figures.windows = view.windows
    figures.activeUsers = view.activeUsers
    return figures
  }

  take(window: CommittedWindow): void {
    this.hits += window.hits
    this.windows += 1
    if (this.toMs !== null && window.toMs < this.toMs) return
    this.toMs = window.toMs
    this.activeUsers = window.activeUsers
    this.eventLoopLagMs = window.eventLoopLagMs
    this.cpu = window.cpu
    this.latenessMs = window.latenessMs
  }
}
