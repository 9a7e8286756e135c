import type { ConfigNode } from './config-node.ts'

/**
 * What was written in code or came as JSON, in the form that readers of files take.
 *
 * @param place stands in messages, with the way to each value: `schedule[2].for`
 */
export function plainNodes(value: unknown, place: string): ConfigNode {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  return {
    place,
    value: value ?? null,
    entries: isMap
      ? Object.entries(value).map(([key, each]) => {
          const way = `${place}.${key}`
          return { key, place: way, node: plainNodes(each, way) }
        })
      : null,
    items: Array.isArray(value) ? value.map((each, at) => plainNodes(each, `${place}[${at}]`)) : null,
  }
}
