import { said, text } from '../attributes.ts'
import { entriesOf, itemsOf, type ConfigNode } from '../config/config-node.ts'
import type { Problems } from '../config/problems.ts'
import { readFields } from '../config/read-fields.ts'
import { ChaosError } from '../errors.ts'
import { parseAddress } from '../proxy/address.ts'

/** What a file says of partitions. Plain data. */
export interface PartitionConfig {
  /** HOST:PORT by name; null: only opens connections. */
  endpoints: Readonly<Record<string, string | null>>
  /** Those that listen from the start, where that must be known beforehand. */
  ways: readonly { from: string; to: string; listen: string }[]
}

const name = (help: string) => text({ initial: '', help, most: 200 })

/**
 * Reads `{ endpoints: { broker: 127.0.0.1:4000, agent: }, ways: [{ from: agent, to: broker, listen: 127.0.0.1:4001 }] }`.
 * What is wrong is told to `problems`.
 */
export function readPartitions(node: ConfigNode, problems: Problems): PartitionConfig {
  const endpoints: Record<string, string | null> = {}
  const ways: { from: string; to: string; listen: string }[] = []
  readFields(
    node,
    'partitions',
    {
      endpoints: ({ node: written }) => {
        for (const { key, node: address } of entriesOf(written, 'endpoints', problems))
          endpoints[key] = readAddress(address, 'backend', problems)
      },
      ways: ({ node: written }) => {
        for (const item of itemsOf(written, 'ways', problems)) ways.push(readWay(item, problems))
      },
    },
    problems,
  )
  if (Object.keys(endpoints).length < 2) problems.add(node.place, 'partitions need two endpoints at least')
  for (const [at, { from, to }] of ways.entries()) {
    const place = `${node.place}: way ${at + 1}`
    for (const each of [from, to])
      if (!Object.hasOwn(endpoints, each))
        problems.add(place, `there is no endpoint ${each || 'without a name'}`)
    if (from === to) problems.add(place, `${from} needs no way to itself`)
    else if (endpoints[to] === null) problems.add(place, `${to} has no address to open connections to`)
    if (ways.findIndex((each) => each.from === from && each.to === to) !== at)
      problems.add(place, `there is a way from ${from} to ${to} already`)
  }
  return { endpoints, ways }
}

function readWay(item: ConfigNode, problems: Problems): { from: string; to: string; listen: string } {
  let listen = '127.0.0.1:0'
  const { from = '', to = '' } = readFields(
    item,
    'a way',
    {
      from: name('who opens connections'),
      to: name('to whom'),
      listen: ({ node }) => (listen = readAddress(node, 'listen', problems) ?? listen),
    },
    problems,
  )
  return { from: from as string, to: to as string, listen }
}

/** Null: nothing is written, or something wrong. */
function readAddress(
  { value, place }: ConfigNode,
  what: 'listen' | 'backend',
  problems: Problems,
): string | null {
  if (value === null) return null
  try {
    const text = typeof value === 'string' ? value : said(value)
    parseAddress(text, what)
    return text
  } catch (error) {
    if (!(error instanceof ChaosError)) throw error
    problems.add(place, error.message)
    return null
  }
}
