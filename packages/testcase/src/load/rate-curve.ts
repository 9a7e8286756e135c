import {
  durationOf,
  type ConstantRate,
  type ControlChange,
  type ExternallyControlled,
  type RampingRate,
} from './model.ts'

export type RateModel = ConstantRate | RampingRate | ExternallyControlled

/** A stretch of time in which the rate follows a straight line. Rates are per millisecond here. */
interface Piece {
  fromMs: number
  toMs: number
  fromRate: number
  toRate: number
  /** Starts of all pieces before this one, a real number, and those of this piece. */
  before: number
  starts: number
}

/** The rate of an open model over time, its integral, and the inverse of that. Exact: no steps are summed up. */
export class RateCurve {
  readonly #pieces: readonly Piece[]

  /** @param changes of an externally controlled model, in order */
  constructor(model: RateModel, changes: readonly ControlChange[] = []) {
    this.#pieces = withSums(linesOf(model, changes))
  }

  get endMs(): number {
    return this.#pieces.at(-1)?.toMs ?? 0
  }

  /** Executions per second. At a jump the later rate; 0 before and after the curve. */
  rateAt(ms: number): number {
    const piece = this.#pieces.findLast((each) => each.fromMs <= ms)
    if (piece === undefined || ms >= piece.toMs) return 0
    return 1000 * (piece.fromRate + slopeOf(piece) * (ms - piece.fromMs))
  }

  /** The integral of the rate up to a time: how many starts should have been made, a real number. */
  startsUntil(ms: number): number {
    const piece = this.#pieces.findLast((each) => each.fromMs <= ms)
    if (piece === undefined) return 0
    if (ms >= piece.toMs) return piece.before + piece.starts
    const passed = ms - piece.fromMs
    return piece.before + passed * (piece.fromRate + (slopeOf(piece) * passed) / 2)
  }

  /** The time at which the integral reaches `starts`; where it rests there, the end of the rest. Infinity: never. */
  timeOf(starts: number): number {
    let low = 0
    let high = this.#pieces.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const piece = this.#pieces[middle]!
      if (piece.before + piece.starts > starts) high = middle
      else low = middle + 1
    }
    const piece = this.#pieces[low]
    if (piece === undefined) return Infinity
    const rest = starts - piece.before
    if (rest <= 0) return piece.fromMs
    // The root of rest = fromRate * t + slope * t^2 / 2 that does not cancel, whichever way the line goes.
    const root = Math.sqrt(Math.max(0, piece.fromRate ** 2 + 2 * slopeOf(piece) * rest))
    return Math.min(piece.toMs, piece.fromMs + (2 * rest) / (piece.fromRate + root))
  }
}

type Line = Pick<Piece, 'fromMs' | 'toMs' | 'fromRate' | 'toRate'>

function linesOf(model: RateModel, changes: readonly ControlChange[]): Line[] {
  if (model.type === 'constant-rate') return [flat(0, model.durationMs, model.rate)]
  if (model.type === 'externally-controlled') return controlled(model, changes)
  const lines: Line[] = []
  let at = 0
  let rate = model.startRate
  for (const { durationMs, target } of model.steps) {
    lines.push({ fromMs: at, toMs: at + durationMs, fromRate: rate / 1000, toRate: target / 1000 })
    at += durationMs
    rate = target
  }
  return lines
}

function controlled(model: ExternallyControlled, changes: readonly ControlChange[]): Line[] {
  const end = durationOf(model) ?? Infinity
  const lines: Line[] = []
  let at = 0
  let rate = model.start
  for (const change of changes) {
    const until = Math.min(end, Math.max(at, change.atMs))
    lines.push(flat(at, until, rate))
    at = until
    rate = change.paused ? 0 : change.target
  }
  lines.push(flat(at, end, rate))
  return lines
}

function flat(fromMs: number, toMs: number, rate: number): Line {
  return { fromMs, toMs, fromRate: rate / 1000, toRate: rate / 1000 }
}

function withSums(lines: readonly Line[]): Piece[] {
  const pieces: Piece[] = []
  let before = 0
  for (const line of lines) {
    const lasts = line.toMs - line.fromMs
    if (lasts <= 0) continue
    const mean = (line.fromRate + line.toRate) / 2
    const starts = mean === 0 ? 0 : mean * lasts
    pieces.push({ ...line, before, starts })
    before += starts
  }
  return pieces
}

/** Change of the rate per millisecond. */
function slopeOf(piece: Piece): number {
  return piece.fromRate === piece.toRate ? 0 : (piece.toRate - piece.fromRate) / (piece.toMs - piece.fromMs)
}
