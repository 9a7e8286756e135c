/** Windows received of windows owed: pure sums over what each agent sent. */

/** Milliseconds of the run of which nothing was received, and how many windows they would have been. */
export interface MissingSpan {
  fromMs: number
  toMs: number
  windows: number
}

export interface AgentWindows {
  agent: string
  received: number
  missing: MissingSpan[]
  /** The fastest pace that the agent has shown in a window; null when it has shown none. */
  hitsPerMs: number | null
}

export interface Coverage {
  windowsOwed: number
  windowsReceived: number
  /** 1 when nothing is owed. */
  ratio: number
  missing: {
    agent: string
    fromSecond: number
    toSecond: number
    /** Hits that may have been made in that time: at the agent's fastest pace; null when none is known. */
    hitsAtMost: number | null
  }[]
}

/**
 * What a lost agent owes: everything after its last window until it was given up, one window at least, since its
 * final one never came.
 */
export function owedByLost(lastToMs: number, lostAtMs: number, windowMs: number): MissingSpan {
  const length = Math.max(windowMs, 1)
  const windows = Math.max(1, Math.ceil((lostAtMs - lastToMs) / length))
  return { fromMs: lastToMs, toMs: Math.max(lostAtMs, lastToMs + Math.min(length, 1000)), windows }
}

export function coverageOf(agents: Iterable<AgentWindows>): Coverage {
  const coverage: Coverage = { windowsOwed: 0, windowsReceived: 0, ratio: 1, missing: [] }
  for (const { agent, received, missing, hitsPerMs } of agents) {
    coverage.windowsReceived += received
    coverage.windowsOwed += received
    for (const span of missing) {
      coverage.windowsOwed += span.windows
      coverage.missing.push({
        agent,
        fromSecond: seconds(span.fromMs),
        toSecond: seconds(span.toMs),
        hitsAtMost: hitsPerMs === null ? null : Math.ceil(hitsPerMs * (span.toMs - span.fromMs)),
      })
    }
  }
  if (coverage.windowsOwed > 0) coverage.ratio = coverage.windowsReceived / coverage.windowsOwed
  return coverage
}

/** `agent-2: 3 s to 9 s, 310 hits at most` for each, five of them at most. */
export function describeMissing(missing: Coverage['missing']): string {
  const named = missing.slice(0, 5).map(({ agent, fromSecond, toSecond, hitsAtMost }) => {
    const bound = hitsAtMost === null ? '' : `, ${hitsAtMost} hits at most`
    return `${agent}: ${fromSecond} s to ${toSecond} s${bound}`
  })
  if (missing.length > named.length) named.push(`and ${missing.length - named.length} more`)
  return named.join('; ')
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10
}
