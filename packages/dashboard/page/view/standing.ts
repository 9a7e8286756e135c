/** A state in words, with a symbol and a tone, so that nobody needs to tell colors apart. */
export interface Standing {
  word: string
  symbol: string
  tone: Tone
}

export type Tone = 'good' | 'bad' | 'doubtful' | 'busy' | 'dim'

const verdicts = new Map(
  Object.entries<Standing>({
    passed: { word: 'passed', symbol: '✓', tone: 'good' },
    failed: { word: 'failed', symbol: '✗', tone: 'bad' },
    incomplete: { word: 'incomplete', symbol: '◐', tone: 'doubtful' },
    'generator-limited': { word: 'generator-limited', symbol: '▲', tone: 'doubtful' },
    aborted: { word: 'aborted', symbol: '■', tone: 'doubtful' },
    infrastructure: { word: 'infrastructure', symbol: '✗', tone: 'bad' },
  }),
)

const states = new Map(
  Object.entries<Standing>({
    queued: { word: 'queued', symbol: '○', tone: 'dim' },
    preparing: { word: 'preparing', symbol: '◌', tone: 'busy' },
    ready: { word: 'ready', symbol: '◌', tone: 'busy' },
    running: { word: 'running', symbol: '▶', tone: 'busy' },
    draining: { word: 'draining', symbol: '▽', tone: 'busy' },
    done: { word: 'done', symbol: '●', tone: 'dim' },
    ended: { word: 'no end', symbol: '◐', tone: 'doubtful' },
    failed: { word: 'failed', symbol: '✗', tone: 'bad' },
    aborted: { word: 'aborted', symbol: '■', tone: 'doubtful' },
    incomplete: { word: 'incomplete', symbol: '◐', tone: 'doubtful' },
  }),
)

const agentStates = new Map(
  Object.entries<Standing>({
    preparing: { word: 'preparing', symbol: '◌', tone: 'busy' },
    prepared: { word: 'prepared', symbol: '◌', tone: 'busy' },
    armed: { word: 'armed', symbol: '◌', tone: 'busy' },
    running: { word: 'running', symbol: '▶', tone: 'good' },
    suspect: { word: 'suspect', symbol: '?', tone: 'doubtful' },
    lost: { word: 'lost', symbol: '✗', tone: 'bad' },
    fenced: { word: 'fenced', symbol: '✗', tone: 'bad' },
    done: { word: 'done', symbol: '●', tone: 'dim' },
  }),
)

/** How a run stands: its verdict where there is one, else its state. */
export function runStanding(state: string, verdict: string | null): Standing {
  if (verdict !== null) return verdicts.get(verdict) ?? { word: verdict, symbol: '●', tone: 'dim' }
  return states.get(state) ?? { word: state, symbol: '●', tone: 'dim' }
}

export function agentStanding(state: string): Standing {
  return agentStates.get(state) ?? { word: state, symbol: '●', tone: 'dim' }
}

export function thresholdStanding(ok: boolean | null): Standing {
  if (ok === null) return { word: 'no data', symbol: '…', tone: 'dim' }
  return ok ? { word: 'holds', symbol: '✓', tone: 'good' } : { word: 'crossed', symbol: '✗', tone: 'bad' }
}
