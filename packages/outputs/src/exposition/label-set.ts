import type { Labels } from './family.ts'
import { labelValue } from './label-names.ts'

/** Labels in order, and one text that is the same for equal ones. */
export interface LabelSet {
  readonly id: string
  readonly labels: Labels
}

/** Labels without a value are left out. */
export function labelSet(labels: Readonly<Record<string, string>>): LabelSet {
  const all: [string, string][] = []
  for (const [name, value] of Object.entries(labels)) if (value !== '') all.push([name, labelValue(value)])
  all.sort(([one], [other]) => (one < other ? -1 : 1))
  return { id: JSON.stringify(all), labels: all }
}
