import type { Tags } from '@loads-runner/testcase'

/**
 * What an external runner reports: one JSON object per line with a key `loads` that names the event. On the pipe of
 * LOADS_EVENTS_FD, or on standard output (for runners in containers).
 *
 *     {"loads":"start","test":"login"}
 *     {"loads":"hit","name":"/login","method":"POST","status":200,"ms":12.5,"bytesIn":512,"bytesOut":80}
 *     {"loads":"hit","name":"/login","method":"POST","status":"timeout","ms":30000}
 *     {"loads":"success","ms":15.2}   {"loads":"failure","message":"..."}   {"loads":"error","type":"...","message":"..."}
 *     {"loads":"counter","name":"carts","value":1}   gauge and timing likewise (a timing in ms)
 *     {"loads":"note","text":"cache emptied","tags":{"node":"db-2"}}   a moment of the run that charts mark
 */
export type RunnerEvent =
  | { kind: 'start'; test: string | null }
  | {
      kind: 'end'
      outcome: 'success' | 'failure' | 'error'
      test: string | null
      ms: number | null
      type: string
      message: string
    }
  | {
      kind: 'hit'
      name: string
      method: string
      status: string
      failed: boolean
      ms: number
      bytesIn: number
      bytesOut: number
    }
  | { kind: 'counter' | 'gauge' | 'timing'; name: string; value: number }
  | { kind: 'note'; text: string; tags: Tags }

/**
 * Reads a line. Null: not an event (ordinary output).
 *
 * @throws {Error} for an event with a wrong field: it names the field
 */
export function parseEventLine(line: string): RunnerEvent | null {
  if (!line.startsWith('{')) return null
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(line) as Record<string, unknown>
  } catch {
    return null
  }
  const event = fields['loads']
  if (typeof event !== 'string') return null
  switch (event) {
    case 'start':
      return { kind: 'start', test: optionalText(fields, 'test') }
    case 'success':
    case 'failure':
    case 'error':
      return {
        kind: 'end',
        outcome: event,
        test: optionalText(fields, 'test'),
        ms: 'ms' in fields ? amount(fields, 'ms') : null,
        type: optionalText(fields, 'type') ?? (event === 'failure' ? 'AssertionError' : 'Error'),
        message: optionalText(fields, 'message') ?? '',
      }
    case 'hit': {
      const { status } = fields
      if (typeof status !== 'number' && typeof status !== 'string')
        throw wrong('status', 'a number or a word')
      const failed = 'failed' in fields ? fields['failed'] === true : !(Number(status) < 400)
      return {
        kind: 'hit',
        name: text(fields, 'name'),
        method: optionalText(fields, 'method') ?? '',
        status: String(status),
        failed,
        ms: amount(fields, 'ms'),
        bytesIn: 'bytesIn' in fields ? amount(fields, 'bytesIn') : 0,
        bytesOut: 'bytesOut' in fields ? amount(fields, 'bytesOut') : 0,
      }
    }
    case 'counter':
      return {
        kind: event,
        name: text(fields, 'name'),
        value: 'value' in fields ? finite(fields, 'value') : 1,
      }
    case 'gauge':
      return { kind: event, name: text(fields, 'name'), value: finite(fields, 'value') }
    case 'timing':
      return {
        kind: event,
        name: text(fields, 'name'),
        value: amount(fields, 'ms' in fields ? 'ms' : 'value'),
      }
    case 'note':
      return { kind: event, text: text(fields, 'text'), tags: words(fields, 'tags') }
    default:
      throw new Error(
        `unknown event '${event}'; known are start, hit, success, failure, error, counter, gauge, timing, note`,
      )
  }
}

function text(fields: Record<string, unknown>, field: string): string {
  const value = fields[field]
  if (typeof value !== 'string' || value === '') throw wrong(field, 'text')
  return value
}

function optionalText(fields: Record<string, unknown>, field: string): string | null {
  return field in fields && fields[field] !== null ? text(fields, field) : null
}

function words(fields: Record<string, unknown>, field: string): Tags {
  const value = fields[field] ?? {}
  const isMap = typeof value === 'object' && !Array.isArray(value)
  if (!isMap || Object.values(value).some((word) => typeof word !== 'string'))
    throw wrong(field, 'an object of words')
  return value as Tags
}

function finite(fields: Record<string, unknown>, field: string): number {
  const value = fields[field]
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong(field, 'a number')
  return value
}

function amount(fields: Record<string, unknown>, field: string): number {
  const value = finite(fields, field)
  if (value < 0) throw wrong(field, 'a number of 0 or more')
  return value
}

function wrong(field: string, wanted: string): Error {
  return new Error(`field '${field}' must be ${wanted}`)
}
