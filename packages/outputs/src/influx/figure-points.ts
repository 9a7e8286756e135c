import {
  hitKinds,
  interruptedStatus,
  scenarioTag,
  seriesId,
  type Delta,
  type SeriesDelta,
  type SeriesKey,
} from '@loads-runner/metrics'
import { known, type FieldValue, type Point } from './point.ts'
import { responseFields, statsFields, Times } from './times.ts'

/** Some time of a run, or all of it. */
export interface Span {
  /** Of every point: run, project, span. */
  readonly tags: Readonly<Record<string, string>>
  /** Milliseconds since the epoch at which it begins. */
  readonly at: number
  /** How much load was made in it; rates divide by it. */
  readonly loadMs: number
}

const customKinds = new Set(['counter', 'gauge', 'timing', 'step', 'check'])

/** Points of what was recorded in a span: everything but `loads_run` and `loads_agents`, which know more. */
export class FigurePoints {
  readonly #times: Times

  constructor(times: Times = new Times()) {
    this.#times = times
  }

  /** @param delta merged over all agents */
  of(delta: Delta, span: Span): Point[] {
    const points: Point[] = []
    const put = (measurement: string, tags: Record<string, string>, values: Values) => {
      const fields = known(values)
      if (Object.keys(fields).length === 0) return
      points.push({ measurement, tags: { ...span.tags, ...tags }, fields, at: span.at })
    }
    const groups = groupsOf(delta)
    for (const { key, members } of groups.names.values())
      put('loads_names', nameTags(key), {
        ...this.#hitFields(members, span),
        ...responseFields(this.#times.stats(ofSameName(groups, key))),
      })
    for (const member of groups.hits)
      put(
        'loads_hits',
        { ...nameTags(member.key), ...statusTags(member.key) },
        this.#hitFields([member], span, true),
      )
    for (const [test, members] of groups.executions)
      put('loads_executions', { test }, this.#executionFields(members, span))
    for (const { key, members } of groups.custom.values())
      put(
        'loads_custom',
        { kind: key.kind, test: key.test, name: key.name, ...tagTags(key) },
        this.#customFields(members, span),
      )
    for (const { key, members } of groups.phases.values())
      put(
        'loads_phases',
        { test: key.test, name: key.name, method: key.method, phase: key.status },
        {
          count: sumOf(members, ({ count }) => count),
          ...statsFields(this.#times.stats(members)),
        },
      )
    for (const { key, members } of groups.errors.values())
      put('loads_errors', { type: members[0]!.detail?.type ?? '', group: key.name }, errorFields(members))
    return points
  }

  #hitFields(
    hits: readonly SeriesDelta[],
    { loadMs }: Pick<Span, 'loadMs'>,
    withBytes = false,
  ): Record<string, number | null> {
    const count = sumOf(hits, countOf)
    return {
      hits: count,
      failed: sumOf(hits, failedOf),
      per_second: rate(count, loadMs),
      bytes_in: withBytes ? sumOf(hits, ({ bytesIn }) => bytesIn) : null,
      bytes_out: withBytes ? sumOf(hits, ({ bytesOut }) => bytesOut) : null,
      ...statsFields(this.#times.stats(hits)),
    }
  }

  #executionFields(members: readonly SeriesDelta[], { loadMs }: Span): Values {
    const all = members.filter(({ key }) => key.kind === 'execution')
    const ended = all.filter(({ key }) => key.status !== interruptedStatus)
    const successes = sumOf(
      ended.filter(({ key }) => key.status === 'success'),
      countOf,
    )
    const failures = sumOf(
      ended.filter(({ key }) => key.status === 'failure'),
      countOf,
    )
    const finished = sumOf(ended, countOf)
    const responses = members.filter(({ key }) => key.kind === 'response' && key.status !== interruptedStatus)
    return {
      successes,
      failures,
      errors: finished - successes - failures,
      interrupted: sumOf(all, countOf) - finished,
      per_second: rate(finished, loadMs),
      ...statsFields(this.#times.stats(ended)),
      ...responseFields(this.#times.stats(responses)),
    }
  }

  #customFields(members: readonly SeriesDelta[], { loadMs }: Span): Values {
    const kind = members[0]!.key.kind
    const count = sumOf(members, countOf)
    if (kind === 'counter') {
      const value = sumOf(members, (member) => member.value)
      return { count, value, per_second: rate(value, loadMs) }
    }
    if (kind === 'gauge') return { count, value: members[0]!.value }
    if (kind === 'check') {
      const failed = sumOf(
        members.filter(({ key }) => key.status !== 'ok'),
        countOf,
      )
      return { count, failed, per_second: rate(count, loadMs) }
    }
    return { count, per_second: rate(count, loadMs), ...statsFields(this.#times.stats(members)) }
  }
}

type Values = Record<string, FieldValue | null>
interface Group {
  key: SeriesKey
  members: SeriesDelta[]
}

interface Groups {
  /** Hits of one name, whatever their status and tags. */
  names: Map<string, Group>
  hits: SeriesDelta[]
  /** Response times by test, name and method. */
  responses: Map<string, SeriesDelta[]>
  /** Executions and their response times, by test. */
  executions: Map<string, SeriesDelta[]>
  custom: Map<string, Group>
  phases: Map<string, Group>
  /** One group of all tests, by what its messages have in common. */
  errors: Map<string, Group>
}

function groupsOf(delta: Delta): Groups {
  const groups: Groups = {
    names: new Map(),
    hits: [],
    responses: new Map(),
    executions: new Map(),
    custom: new Map(),
    phases: new Map(),
    errors: new Map(),
  }
  for (const member of delta.series.values()) {
    const { key } = member
    if (hitKinds.has(key.kind)) {
      groups.hits.push(member)
      addTo(groups.names, JSON.stringify([key.kind, nameId(key)]), member)
    } else if (key.kind === 'hit-response') listIn(groups.responses, nameId(key)).push(member)
    else if (key.kind === 'execution') listIn(groups.executions, key.test).push(member)
    else if (key.kind === 'response') listIn(groups.executions, key.name).push(member)
    else if (key.kind === 'phase')
      addTo(groups.phases, JSON.stringify([key.test, key.name, key.method, key.status]), member)
    else if (key.kind === 'error') addTo(groups.errors, key.name, member)
    // Checks that held and that did not are two series and one line.
    else if (customKinds.has(key.kind)) addTo(groups.custom, seriesId({ ...key, status: '' }), member)
  }
  return groups
}

/** Response times of a name; none where two kinds of hits have the same one, since whose they are is not recorded. */
function ofSameName(groups: Groups, key: SeriesKey): SeriesDelta[] {
  const responses = groups.responses.get(nameId(key))
  if (responses === undefined) return []
  const kinds = [...hitKinds].filter((kind) => groups.names.has(JSON.stringify([kind, nameId(key)])))
  return kinds.length > 1 ? [] : responses
}

function addTo(groups: Map<string, Group>, id: string, member: SeriesDelta): void {
  const group = groups.get(id)
  if (group === undefined) groups.set(id, { key: member.key, members: [member] })
  else group.members.push(member)
}

function listIn(lists: Map<string, SeriesDelta[]>, id: string): SeriesDelta[] {
  let list = lists.get(id)
  if (list === undefined) lists.set(id, (list = []))
  return list
}

function nameId({ test, name, method }: SeriesKey): string {
  return JSON.stringify([test, name, method])
}

function nameTags({ kind, test, name, method }: SeriesKey): Record<string, string> {
  return { kind, test, name, method }
}

function statusTags(key: SeriesKey): Record<string, string> {
  return { status: key.status, ...tagTags(key) }
}

/** What users call their tags must not meet our own names, nor those that InfluxDB keeps for itself (`time`). */
function tagTags({ tags }: SeriesKey): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tags).map(([name, value]) => [name === scenarioTag ? name : `tag_${name}`, value]),
  )
}

function errorFields(members: readonly SeriesDelta[]): Values {
  const first = members.reduce((one, other) => (seenAt(other) < seenAt(one) ? other : one))
  return {
    count: sumOf(members, countOf),
    message: first.detail?.message ?? null,
    first_seen: seenAt(first),
    last_seen: Math.max(...members.map(({ lastAt }) => lastAt)),
  }
}

function seenAt({ detail }: SeriesDelta): number {
  return detail?.firstSeen ?? Infinity
}

function countOf({ count }: SeriesDelta): number {
  return count
}

/** A hit that was cut by the end of the run has not failed. */
function failedOf({ key, failed }: SeriesDelta): number {
  return key.status === interruptedStatus ? 0 : failed
}

function sumOf(members: readonly SeriesDelta[], of: (member: SeriesDelta) => number): number {
  let sum = 0
  for (const member of members) sum += of(member)
  return sum
}

/** Null: there was no time. */
function rate(count: number, loadMs: number): number | null {
  return loadMs > 0 ? (count * 1000) / loadMs : null
}
