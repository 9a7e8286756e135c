import type { Annotation } from '@loads-runner/protocol'
import { Refusal } from './refusal.ts'
import type { RunSource } from './run-source.ts'

/** What can be asked of a run, and its answers. Every body is checked here: it comes from anywhere. */

export type Action = 'stop' | 'control' | 'annotate'
export const actions: ReadonlySet<string> = new Set<Action>(['stop', 'control', 'annotate'])

/** @throws {Refusal} 400; what the source throws */
export async function carryOut(
  source: RunSource,
  runId: string,
  action: Action,
  body: unknown,
): Promise<unknown> {
  const fields = fieldsOf(body)
  switch (action) {
    case 'stop':
      await source.stop(runId, stopMode(fields))
      return {}
    case 'control':
      return source.control(runId, change(fields))
    case 'annotate':
      await source.annotate(runId, annotation(fields))
      return {}
  }
}

type Fields = Record<string, unknown>

function fieldsOf(body: unknown): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw bad('the body must be an object')
  return body as Fields
}

function stopMode(fields: Fields): 'drain' | 'cancel' | 'kill' {
  only(fields, ['mode'])
  const mode = fields.mode ?? 'drain'
  if (mode !== 'drain' && mode !== 'cancel' && mode !== 'kill')
    throw bad('"mode" must be drain (executions may finish), cancel (they are cut) or kill')
  return mode
}

function change(fields: Fields): Parameters<RunSource['control']>[1] {
  only(fields, ['scenario', 'target', 'paused'])
  const { scenario = null, target = null, paused = null } = fields
  if (scenario !== null && typeof scenario !== 'string') throw bad('"scenario" must be a name, or null')
  if (target !== null && !(typeof target === 'number' && Number.isFinite(target) && target >= 0))
    throw bad('"target" must be a number of users, or a rate per second, or null')
  if (paused !== null && typeof paused !== 'boolean') throw bad('"paused" must be true, false or null')
  if (target === null && paused === null) throw bad('give "target" or "paused": nothing else can be changed')
  return { scenario, target: target as number | null, paused }
}

function annotation(fields: Fields): Annotation {
  only(fields, ['type', 'text', 'tags', 'id', 'name', 'state', 'detail'])
  const { type = 'note' } = fields
  if (type === 'note')
    return { type, text: text(fields, 'text', 2_000, true), tags: tagsOf(fields.tags ?? {}) }
  if (type !== 'fault') throw bad('"type" must be note or fault')
  const { state } = fields
  if (state !== 'begins' && state !== 'ends') throw bad('"state" must be begins or ends')
  const id = text(fields, 'id', 200, true)
  return {
    type,
    id,
    name: fields.name === undefined ? id : text(fields, 'name', 500, true),
    state,
    detail: fields.detail === undefined ? '' : text(fields, 'detail', 2_000, false),
  }
}

function tagsOf(value: unknown): Record<string, string> {
  const tags = fieldsOf(value)
  const entries = Object.entries(tags)
  if (entries.length > 50) throw bad('"tags" are more than 50')
  for (const [name, each] of entries)
    if (typeof each !== 'string' || each.length > 1_000 || name.length > 200)
      throw bad('"tags" must be short texts by short names')
  return tags as Record<string, string>
}

function text(fields: Fields, name: string, most: number, needed: boolean): string {
  const value = fields[name]
  if (typeof value !== 'string' || (needed && value.trim() === '') || value.length > most)
    throw bad(`"${name}" must be a text of ${needed ? `1 to ${most}` : `at most ${most}`} characters`)
  return value
}

/** A misspelt field must not be passed over. */
function only(fields: Fields, known: readonly string[]): void {
  for (const name of Object.keys(fields))
    if (!known.includes(name))
      throw bad(`${JSON.stringify(name.slice(0, 100))} is not known here; there are ${known.join(', ')}`)
}

function bad(message: string): Refusal {
  return new Refusal(400, 'BAD_REQUEST', message)
}
