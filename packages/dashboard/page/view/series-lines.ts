import type { SeriesRow } from '../../src/model.ts'
import type { Stats } from '@loads-runner/metrics'

/** Rows of the table of requests: a name, and in it its statuses and tags. Pure. */

const ownKinds: ReadonlySet<string> = new Set(['check', 'step', 'counter', 'gauge', 'timing'])

export interface SeriesLine {
  key: string
  name: string
  test: string
  /** `200`, `503 tenant=a`; '' for a name with several. */
  status: string
  parts: readonly SeriesRow[]
  children: readonly SeriesLine[]
  count: number
  failed: number
  perSecond: number
  /** Of all of them together; null: not known. */
  time: Stats | null
  /** What a search looks into. */
  words: string
}

/** Hits and whatever else is neither a check nor of the user's own figures. */
export function isRequest({ kind }: SeriesRow): boolean {
  return !ownKinds.has(kind)
}

export function requestLines(rows: readonly SeriesRow[]): SeriesLine[] {
  const groups = new Map<string, SeriesRow[]>()
  for (const row of rows) {
    const key = JSON.stringify([row.kind, row.test, row.name, row.method])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return Array.from(groups, ([key, parts]) => lineOf(key, parts))
}

function lineOf(key: string, parts: readonly SeriesRow[]): SeriesLine {
  const first = parts[0]!
  const children = parts.length === 1 ? [] : parts.map((part) => lineOf(`${key}\n${part.id}`, [part]))
  const statuses = parts.map(statusOf)
  return {
    key,
    name: nameOf(first),
    test: first.test,
    status: parts.length === 1 ? statuses[0]! : statusSummary(parts),
    parts,
    children,
    count: total(parts, ({ count }) => count),
    failed: total(parts, ({ failed }) => failed),
    perSecond: total(parts, ({ perSecond }) => perSecond),
    time: parts.length === 1 ? first.time : (parts.find(({ merged }) => merged)?.merged ?? null),
    words: [nameOf(first), first.test, first.kind, ...statuses].join(' '),
  }
}

/** `GET /cart`; the method once. */
export function nameOf({ name, method }: SeriesRow): string {
  const whole = method === '' || name.startsWith(`${method} `) ? name : `${method} ${name}`
  return whole.trim() === '' ? '(no name)' : whole
}

export function statusOf({ status, tags }: SeriesRow): string {
  return [status, ...Object.entries(tags).map(([tag, value]) => `${tag}=${value}`)].filter(Boolean).join(' ')
}

function statusSummary(parts: readonly SeriesRow[]): string {
  const statuses = [...new Set(parts.map(({ status }) => status))].filter(Boolean)
  return statuses.length <= 3
    ? statuses.join(', ')
    : `${statuses.slice(0, 2).join(', ')} +${statuses.length - 2}`
}

function total(parts: readonly SeriesRow[], of: (part: SeriesRow) => number): number {
  return parts.reduce((sum, part) => sum + of(part), 0)
}

/** Hits per step of all of them; they end at the same moment. */
export function lineCounts({ parts }: SeriesLine): number[] {
  const length = Math.max(0, ...parts.map(({ spark }) => spark.count.length))
  const sums = Array.from({ length }, () => 0)
  for (const { spark } of parts) {
    const shift = length - spark.count.length
    spark.count.forEach((count, index) => (sums[index + shift]! += count))
  }
  return sums
}

export interface CheckLine {
  key: string
  name: string
  test: string
  tags: string
  ok: number
  failed: number
}

/** Checks: how often each held and did not. */
export function checkLines(rows: readonly SeriesRow[]): CheckLine[] {
  const lines = new Map<string, CheckLine>()
  for (const row of rows) {
    if (row.kind !== 'check') continue
    const tags = Object.entries(row.tags).map(([tag, value]) => `${tag}=${value}`)
    const key = JSON.stringify([row.test, row.name, tags])
    const line = lines.get(key) ?? {
      key,
      name: nameOf(row),
      test: row.test,
      tags: tags.join(' '),
      ok: 0,
      failed: 0,
    }
    if (row.status === 'failed') line.failed += row.count
    else line.ok += row.count
    lines.set(key, line)
  }
  return [...lines.values()]
}
