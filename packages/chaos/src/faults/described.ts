import type { AttributeTable } from '../attributes.ts'
import { knownFaults } from './registry.ts'

/** An attribute in words: for help and for documents. */
export interface DescribedAttribute {
  name: string
  help: string
  allowed: string
  /** What it is when nothing is said; null: nothing. */
  usual: string | null
}

/** A fault in words. */
export interface DescribedFault {
  type: string
  summary: string
  units: readonly string[]
  attributes: readonly DescribedAttribute[]
}

/** All faults that are known now. */
export function describeFaults(): DescribedFault[] {
  return knownFaults().map(({ type, summary, units, attributes }) => ({
    type,
    summary,
    units,
    attributes: describeAttributes(attributes as AttributeTable<Record<string, unknown>>),
  }))
}

export function describeAttributes<A>(table: AttributeTable<A>): DescribedAttribute[] {
  return Object.keys(table).map((name) => {
    const attribute = table[name as keyof A]
    const shown = attribute.initial === null ? null : attribute.show(attribute.initial)
    const usual = shown === null || shown === undefined || shown === '' ? null : wordOf(shown)
    return { name, help: attribute.help, allowed: attribute.allowed, usual }
  })
}

function wordOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
