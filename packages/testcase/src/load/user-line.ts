import {
  durationOf,
  type ControlChange,
  type ExternallyControlled,
  type LoadModel,
  type RampingUsers,
} from './model.ts'

/** Milliseconds after the start of the model; `toMs` is not part of it. */
export interface Interval {
  fromMs: number
  toMs: number
}

interface Line extends Interval {
  from: number
  to: number
}

/** How many users a model has over time. The user of rank `r` is active while the line is above `r`. */
export class UserLine {
  readonly #lines: readonly Line[]

  /** @param changes of an externally controlled model, in order */
  constructor(model: RampingUsers | ExternallyControlled, changes: readonly ControlChange[] = []) {
    const lines = model.type === 'ramping-users' ? stepsOf(model) : changesOf(model, changes)
    this.#lines = lines.filter((line) => line.toMs > line.fromMs)
  }

  /** Users at a time, a whole number: one above the line is none yet. At a jump the later number. */
  usersAt(ms: number): number {
    const line = this.#lines.findLast((each) => each.fromMs <= ms)
    if (line === undefined || ms >= line.toMs) return 0
    if (line.from === line.to) return Math.ceil(line.from)
    return Math.ceil(line.from + ((line.to - line.from) * (ms - line.fromMs)) / (line.toMs - line.fromMs))
  }

  /** When the user of a rank is active, in order; intervals that touch are one. */
  activeOf(rank: number): Interval[] {
    const intervals: Interval[] = []
    for (const line of this.#lines) {
      const part = above(line, rank)
      if (part === null) continue
      const last = intervals.at(-1)
      if (last !== undefined && last.toMs === part.fromMs) last.toMs = part.toMs
      else intervals.push(part)
    }
    return intervals
  }
}

/** Milliseconds after the start of a stage at which the user of a rank begins, when users begin one after another. */
export function rampUpOffset(rank: number, users: number, rampUpMs: number): number {
  return users < 2 ? 0 : (rank / users) * rampUpMs
}

/** Users that a model plans for a time after its start; null in open models, where the target decides. */
export function usersAt(model: LoadModel, ms: number): number | null {
  switch (model.type) {
    case 'ramping-users':
      return new UserLine(model).usersAt(ms)
    case 'externally-controlled':
      return model.controls === 'users' ? new UserLine(model).usersAt(ms) : null
    case 'constant-users':
    case 'hits-per-user':
    case 'shared-hits': {
      if (ms < 0 || ms >= (durationOf(model) ?? Infinity)) return 0
      if (ms >= model.rampUpMs || model.users < 2) return model.users
      return Math.floor((ms / model.rampUpMs) * model.users) + 1
    }
    case 'constant-rate':
    case 'ramping-rate':
      return null
  }
}

function stepsOf(model: RampingUsers): Line[] {
  const lines: Line[] = []
  let at = 0
  let users = model.startUsers
  for (const { durationMs, target } of model.steps) {
    lines.push({ fromMs: at, toMs: at + durationMs, from: users, to: target })
    at += durationMs
    users = target
  }
  return lines
}

function changesOf(model: ExternallyControlled, changes: readonly ControlChange[]): Line[] {
  const end = durationOf(model) ?? Infinity
  const lines: Line[] = []
  let at = 0
  let users = model.start
  for (const change of changes) {
    const until = Math.min(end, Math.max(at, change.atMs))
    lines.push({ fromMs: at, toMs: until, from: users, to: users })
    at = until
    users = change.paused ? 0 : Math.min(model.users, change.target)
  }
  lines.push({ fromMs: at, toMs: end, from: users, to: users })
  return lines
}

/** The part of a line that is above a rank; null without one. */
function above(line: Line, rank: number): Interval | null {
  if (line.from <= rank && line.to <= rank) return null
  const { fromMs, toMs } = line
  if (line.from >= rank && line.to >= rank) return { fromMs, toMs }
  const crossing = fromMs + ((rank - line.from) / (line.to - line.from)) * (toMs - fromMs)
  return line.from < rank ? { fromMs: crossing, toMs } : { fromMs, toMs: crossing }
}
