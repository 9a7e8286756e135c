import { itemsOf, type ConfigNode } from '../config/config-node.ts'
import type { Problems } from '../config/problems.ts'

/** Reads `[[a, b], [c]]`: groups that do not reach each other. Endpoints that no group names reach all. */
export function readGroups(
  node: ConfigNode,
  endpoints: readonly string[],
  problems: Problems,
): readonly (readonly string[])[] {
  const groups = itemsOf(node, 'partition', problems).map((item) =>
    item.items === null && typeof item.value === 'string' ? [item] : itemsOf(item, 'a group', problems),
  )
  const seen = new Set<string>()
  const read = groups.map((group) =>
    group.flatMap(({ value, place }) => {
      if (typeof value !== 'string' || !endpoints.includes(value)) {
        problems.add(
          place,
          `there is no endpoint ${String(value)}; there are ${endpoints.join(', ') || 'none'}`,
        )
        return []
      }
      if (seen.has(value)) problems.add(place, `${value} stands in two groups`)
      seen.add(value)
      return [value]
    }),
  )
  if (read.length < 2)
    problems.add(node.place, 'a partition needs two groups at least, such as [[a, b], [c]]')
  return read
}
