import type { Aggregate } from './aggregate.ts'
import { Distribution } from './distribution.ts'
import { checkStatuses, hitPhases, type HitPhase } from './series.ts'
import type { Summary } from './summary.ts'

/** The lists of a summary that are sums of several series. */

/** Checks by test, name and tags, most frequent first. */
export function checkRows(aggregate: Aggregate): Summary['checks'] {
  const rows = new Map<string, Summary['checks'][number]>()
  for (const { key, count } of aggregate.ofKind('check')) {
    const id = wordsId(key.test, key.name, key.tags)
    let row = rows.get(id)
    if (row === undefined) {
      row = { name: key.name, test: key.test, ok: 0, failed: 0, tags: { ...key.tags } }
      rows.set(id, row)
    }
    if (key.status === checkStatuses.ok) row.ok += count
    else row.failed += count
  }
  return [...rows.values()].sort(
    (one, other) =>
      other.ok + other.failed - one.ok - one.failed ||
      compare(wordsId(one.test, one.name, one.tags), wordsId(other.test, other.name, other.tags)),
  )
}

/** Steps by test, name and tags, most frequent first. */
export function stepRows(aggregate: Aggregate): Summary['steps'] {
  return aggregate.ofKind('step').map((series) => ({
    name: series.key.name,
    test: series.key.test,
    tags: { ...series.key.tags },
    duration: series.stats(),
  }))
}

/** Phases of hits by name and method, in the order in which they follow each other. */
export function phaseRows(aggregate: Aggregate): Summary['phases'] {
  const rows = new Map<string, { name: string; method: string; phase: HitPhase; time: Distribution }>()
  for (const series of aggregate.ofKind('phase')) {
    const { name, method, status } = series.key
    const phase = hitPhases.find((each) => each === status)
    if (phase === undefined) continue
    const id = JSON.stringify([name, method, phase])
    let row = rows.get(id)
    if (row === undefined) rows.set(id, (row = { name, method, phase, time: new Distribution() }))
    row.time.merge(series)
  }
  return [...rows.values()]
    .sort(
      (one, other) =>
        compare(one.name, other.name) ||
        compare(one.method, other.method) ||
        hitPhases.indexOf(one.phase) - hitPhases.indexOf(other.phase),
    )
    .map((row) => ({ ...row, time: row.time.stats() }))
}

function wordsId(test: string, name: string, tags: Readonly<Record<string, string>>): string {
  return JSON.stringify([test, name, Object.entries(tags).sort(([one], [other]) => compare(one, other))])
}

function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
