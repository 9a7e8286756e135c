import type { FeedState } from './event-feed.ts'
import type { Tone } from '../view/standing.ts'

/** How fresh the figures of a run are, in words. Pure. */
export interface ConnectionStatus {
  kind: 'connecting' | 'live' | 'waiting' | 'stale' | 'lost' | 'ended' | 'refused'
  symbol: string
  /** Changes every second where time matters. */
  text: string
  /** Said to those who hear the page; the same as long as the kind is. */
  said: string
  tone: Tone
}

export interface Freshness {
  connection: FeedState
  ended: boolean
  /** Of the run; null before the first model. */
  state: string | null
  /** When the latest figures came, and now: milliseconds since the epoch. */
  newsAt: number
  now: number
}

/** Figures come every second; so much later something is wrong. Milliseconds. */
const staleMs = 4_000

export function statusOf({ connection, ended, state, newsAt, now }: Freshness): ConnectionStatus {
  const age = Math.max(0, Math.round((now - newsAt) / 1000))
  if (ended) return status('ended', '●', 'ended', 'the run has ended', 'dim')
  if (connection.kind === 'refused')
    return status('refused', '✗', connection.message, connection.message, 'bad')
  if (connection.kind === 'lost') {
    const since = Math.max(0, Math.round((now - connection.since) / 1000))
    const last = state === null ? '' : `; last figures ${age} s ago`
    return status(
      'lost',
      '↻',
      `no answer, reconnecting since ${since} s${last}`,
      'the server does not answer',
      'bad',
    )
  }
  if (connection.kind === 'connecting' || state === null)
    return status('connecting', '◌', 'connecting', 'connecting', 'busy')
  if (state !== 'running') return status('waiting', '◌', state, `the run is ${state}`, 'busy')
  if (now - newsAt > staleMs)
    return status(
      'stale',
      '!',
      `stale: last figures ${age} s ago`,
      'no new figures come: the broker is silent',
      'doubtful',
    )
  return status('live', '●', 'live', 'figures are live', 'good')
}

function status(
  kind: ConnectionStatus['kind'],
  symbol: string,
  text: string,
  said: string,
  tone: Tone,
): ConnectionStatus {
  return { kind, symbol, text, said, tone }
}
