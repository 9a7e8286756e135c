import type { Comparison } from '@loads-runner/history'
import type { SeriesRow } from '../../src/model.ts'

/** What the histograms of two runs say beyond ratios: how large a change is, and whether it may be chance. Pure. */

export type Effect = Pick<Comparison['all'], 'change' | 'delta' | 'p' | 'errors'>

export const effectHelp =
  "Effect: Cliff's delta δ, −1 to 1: how much more often a hit after takes longer than one before than the other way " +
  'round, from all samples; p: the chance of a difference like that, or a larger one, if nothing had changed. ' +
  'Slower and faster need |δ| ≥ 0.147 and p < 0.01. It is of a name, all its statuses and tags together.'

type Name = Pick<SeriesRow, 'kind' | 'test' | 'name' | 'method'>

const idOf = ({ kind, test, name, method }: Name) => JSON.stringify([kind, test, name, method])

/** Finds the effect of a row by its name. */
export function effectsByName({ series }: Comparison): (row: Name) => Effect | null {
  const found = new Map(series.map((each) => [idOf(each), each]))
  return (row) => found.get(idOf(row)) ?? null
}

/** `slower, δ +0.31, p < 0.001` */
export function effectText(effect: Effect | null): string {
  if (effect === null) return '–'
  const { change, delta, p } = effect
  return [
    change,
    ...(delta === null ? [] : [`δ ${formatDelta(delta)}`]),
    ...(p === null ? [] : [formatP(p)]),
  ].join(', ')
}

/** `more, p < 0.001`: of the share of hits that failed. */
export function errorsText(effect: Effect | null): string {
  if (effect === null) return '–'
  const { change, p } = effect.errors
  return p === null ? change : `${change}, ${formatP(p)}`
}

/** What is clear comes before what may be chance, the largest first; null: there is nothing to sort by. */
export function effectSize(effect: Effect | null): number | null {
  if (effect === null || effect.delta === null) return null
  const isClear = effect.change === 'slower' || effect.change === 'faster'
  return Math.abs(effect.delta) + (isClear ? 1 : 0)
}

function formatDelta(delta: number): string {
  const text = Math.abs(delta).toFixed(2)
  return text === '0.00' ? text : `${delta > 0 ? '+' : '−'}${text}`
}

function formatP(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p ${p.toFixed(3)}`
}
