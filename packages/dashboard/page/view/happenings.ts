import type { Band, Mark } from '../../src/model.ts'

/** Times and moments of a run in which something was different, as charts show them. Pure. */

export interface VisibleBand {
  band: Band
  /** Pixels from the left end of what is shown, cut at its ends. */
  left: number
  width: number
}

/** Bands in sight, widest first so that short ones are drawn over long ones. */
export function visibleBands(
  bands: readonly Band[],
  [fromMs, toMs]: readonly [number, number],
  endMs: number,
  width: number,
): VisibleBand[] {
  const scale = width / (toMs - fromMs)
  return bands
    .map((band) => {
      const left = (Math.max(band.fromMs, fromMs) - fromMs) * scale
      const right = (Math.min(band.toMs ?? endMs, toMs) - fromMs) * scale
      return { band, left, width: right - left, sees: left <= width && right >= 0 && band.fromMs <= toMs }
    })
    .filter(({ sees, width: wide }) => sees && wide >= 0)
    .map(({ band, left, width: wide }) => ({ band, left, width: Math.max(1, wide) }))
    .sort((one, other) => other.width - one.width)
}

export function bandsAt(bands: readonly Band[], atMs: number): Band[] {
  return bands.filter(({ fromMs, toMs }) => fromMs <= atMs && (toMs === null || atMs < toMs))
}

/** Marks no further than `reachMs` from a moment. */
export function marksNear(marks: readonly Mark[], atMs: number, reachMs: number): Mark[] {
  return marks.filter((mark) => Math.abs(mark.atMs - atMs) <= reachMs)
}

const weights: Readonly<Record<Mark['kind'], number>> = {
  agent: 4,
  note: 3,
  control: 3,
  threshold: 2,
  state: 1,
}

/** Which labels of marks come first where not all have room. */
export function markWeight(mark: Mark): number {
  return weights[mark.kind] ?? 0
}

/** A lane for each stretch, so that none covers another; they are given from left to right. */
export function lanesOf(stretches: readonly { from: number; to: number }[]): number[] {
  const ends: number[] = []
  return stretches.map(({ from, to }) => {
    const free = ends.findIndex((end) => end <= from)
    const lane = free < 0 ? ends.length : free
    ends[lane] = to
    return lane
  })
}
