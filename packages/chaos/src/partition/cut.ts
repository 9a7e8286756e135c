/**
 * How a way is cut. reset: connections are reset, new ones, too. refuse: connections are reset, and nobody listens for new ones.
 * blackhole: bytes vanish, and nobody is told.
 */
export type CutMode = 'reset' | 'refuse' | 'blackhole'

export const cutModes = ['reset', 'refuse', 'blackhole'] as const

export interface CutOptions {
  /** By default blackhole. */
  mode?: CutMode
  /**
   * From the first to the second only. Of a black hole: bytes that the first sends to the second vanish, whoever opened the
   * connection, while those of the other direction arrive. Of the others: connections that the first opens.
   */
  oneWay?: boolean
}

/** One cut that is there, between two endpoints. */
export interface Cut {
  readonly from: string
  readonly to: string
  readonly mode: CutMode
  readonly oneWay: boolean
}

/** What cuts make of a way, on which the first endpoint opens connections to the second. */
export interface WayState {
  mode: 'open' | CutMode
  /** Directions whose bytes vanish: upstream from who opens. */
  lost: { upstream: boolean; downstream: boolean }
}

/** Of several cuts the hardest counts: refuse, then reset, then blackhole, whose directions add up. */
export function wayState(from: string, to: string, cuts: Iterable<Cut>): WayState {
  const lost = { upstream: false, downstream: false }
  let mode: WayState['mode'] = 'open'
  for (const cut of cuts) {
    const isAlong = cut.from === from && cut.to === to
    const isAgainst = cut.from === to && cut.to === from
    if (!isAlong && !isAgainst) continue
    if (cut.mode === 'blackhole') {
      lost.upstream ||= isAlong || !cut.oneWay
      lost.downstream ||= isAgainst || !cut.oneWay
      if (mode === 'open') mode = 'blackhole'
    } else if (isAlong || !cut.oneWay) {
      if (mode !== 'refuse') mode = cut.mode
    }
  }
  return { mode, lost }
}
