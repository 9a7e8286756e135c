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
}

export interface Coverage {
  windowsOwed: number
  windowsReceived: number
  /** 1 when nothing is owed. */
  ratio: number
  missing: { agent: string; fromSecond: number; toSecond: number }[]
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
  for (const { agent, received, missing } of agents) {
    coverage.windowsReceived += received
    coverage.windowsOwed += received
    for (const span of missing) {
      coverage.windowsOwed += span.windows
      coverage.missing.push({ agent, fromSecond: seconds(span.fromMs), toSecond: seconds(span.toMs) })
    }
  }
  if (coverage.windowsOwed > 0) coverage.ratio = coverage.windowsReceived / coverage.windowsOwed
  return coverage
}

/** `agent-2: 3 s to 9 s` for each, at most five of them. */
export function describeMissing(missing: Coverage['missing']): string {
  const named = missing.slice(0, 5).map((each) => `${each.agent}: ${each.fromSecond} s to ${each.toSecond} s`)
  if (missing.length > named.length) named.push(`and ${missing.length - named.length} more`)
  return named.join(', ')
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10
}
