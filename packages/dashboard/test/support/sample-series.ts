import type { RunTotals, SeriesRow } from '../../src/model.ts'
import { hostileNames } from './hostile.ts'

/** Executions per second. */
export const peakRate = 400

/** Numbers between 0 and 1 that look random and depend on their place alone. */
export function noise(place: number, lane: number): number {
  let x = (Math.imul(place + 1, 0x9e3779b1) ^ Math.imul(lane + 1, 0x85ebca6b)) >>> 0
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d)
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39)
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32
}

export const round = (value: number) => Math.round(value * 1000) / 1000

/** The median of service times in a second, in milliseconds: with a fault every four minutes. */
export function medianAt(second: number): number {
  const phase = second % 240
  const base = 18 + 6 * Math.min(1, second / 60) + 2 * Math.sin(second / 17)
  const isFault = phase >= 120 && phase < 150
  const bump = isFault
    ? 5 * Math.min(1, (phase - 119) / 6)
    : phase >= 150 && phase < 160
      ? (160 - phase) / 4
      : 0
  return base * (1 + bump) * (0.96 + 0.08 * noise(second, 0))
}

/** One line of the table of a sample model. @param hits all hits of the run so far */
export function sampleRow(index: number, seconds: number, hits: number, hostile: boolean): SeriesRow {
  const kinds = [
    'http',
    'http',
    'http',
    'http',
    'http',
    'http',
    'step',
    'check',
    'counter',
    'gauge',
    'timing',
  ]
  const kind = kinds[index % kinds.length]!
  const isHit = kind === 'http'
  const isTimed = isHit || kind === 'step' || kind === 'timing'
  const weight = 1 / (index + 2)
  const count = Math.round(hits * weight * 0.3) + 1
  const path = [
    '/',
    '/cart',
    '/item/:id',
    '/search',
    '/checkout',
    '/login',
    '/account/orders',
    '/api/v2/stock',
  ]
  const ordinary = `${path[index % path.length]!}${index >= path.length ? `?v=${Math.floor(index / path.length)}` : ''}`
  const name =
    hostile && index < hostileNames.length ? hostileNames[index]! : isHit ? ordinary : `${kind} ${index}`
  const status = !isHit
    ? kind === 'check'
      ? index % 2 === 0
        ? 'failed'
        : 'ok'
      : ''
    : index % 9 === 4
      ? '503'
      : '200'
  const failed = status === '503' || status === 'failed' ? count : 0
  const spanMs = seconds <= 60 ? 1_000 : seconds <= 600 ? 10_000 : 60_000
  const steps = Math.min(60, Math.floor((seconds * 1000) / spanMs))
  const medianMs = 6 + (index % 13) * 5
  const line = Array.from({ length: steps }, (_, step) => (step * spanMs) / 1000)
  return {
    id: JSON.stringify([kind, index]),
    kind,
    test: index % 2 === 0 ? 'Checkout.test_buy' : 'Browse.test_look',
    name,
    method: isHit ? (index % 4 === 1 ? 'POST' : 'GET') : '',
    status,
    tags: index % 7 === 0 ? { scenario: index % 14 === 0 ? 'checkout' : 'browse' } : {},
    count,
    failed,
    value: kind === 'counter' ? count * 3 : kind === 'gauge' ? 17.5 + (index % 5) : null,
    perSecond: round(count / Math.max(1, seconds)),
    time: isTimed ? statsAround(medianMs, count) : null,
    spark: {
      spanMs,
      count: line.map((second) =>
        Math.round(peakRate * weight * Math.min(1, (second + 1) / 60) * (spanMs / 1000)),
      ),
      p95: line.map((second) => (isTimed ? round((medianAt(second) / 20) * medianMs * 2) : null)),
    },
  }
}

/** A distribution of a usual shape around its median. */
export function statsAround(medianMs: number, count: number): RunTotals['serviceTime'] {
  const known = (value: number) => (count === 0 ? null : round(value))
  return {
    count,
    sum: round(count * medianMs * 1.2),
    min: known(medianMs * 0.3),
    mean: known(medianMs * 1.2),
    p50: known(medianMs),
    p90: known(medianMs * 2.1),
    p95: known(medianMs * 2.7),
    p99: known(medianMs * 4.4),
    p999: known(medianMs * 9),
    p9999: known(medianMs * 14),
    max: known(medianMs * 21),
    trustedTo: count < 20 ? 0 : (count - 10) / count,
  }
}
