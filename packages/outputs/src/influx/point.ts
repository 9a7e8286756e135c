export type FieldValue = number | string | boolean

/** One line of the line protocol: figures of one thing at one time. */
export interface Point {
  readonly measurement: string
  /** Empty values are not written: to InfluxDB they are no values. */
  readonly tags: Readonly<Record<string, string>>
  /** Numbers are floating point, all of them: the type of a field is never in doubt. */
  readonly fields: Readonly<Record<string, FieldValue>>
  /** Milliseconds since the epoch, whole. A point of the same time and tags overwrites. */
  readonly at: number
}

/** Fields of those values that are known: what was not measured is not written, never 0. */
export function known(values: Readonly<Record<string, FieldValue | null>>): Record<string, FieldValue> {
  const fields: Record<string, FieldValue> = {}
  for (const [name, value] of Object.entries(values)) {
    if (value === null || (typeof value === 'number' && !Number.isFinite(value))) continue
    fields[name] = value
  }
  return fields
}
