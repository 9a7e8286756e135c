import type { Problems } from './problems.ts'

/** A value of a configuration file with its place: what readers of parts of the file are given. */
export interface ConfigNode {
  /** `proxies.yaml:12:3`, counted from 1. */
  readonly place: string
  /** As plain data, with all that is in it. Null where nothing is written. */
  readonly value: unknown
  /** Of a map, in the order of the file; null: it is none. No key comes twice. */
  readonly entries: readonly ConfigEntry[] | null
  /** Of a list; null: it is none. */
  readonly items: readonly ConfigNode[] | null
}

export interface ConfigEntry {
  key: string
  /** Of the key. */
  place: string
  node: ConfigNode
}

/** The entries of a map; of anything else none, and a problem is told. Nothing written is an empty map. */
export function entriesOf(node: ConfigNode, what: string, problems: Problems): readonly ConfigEntry[] {
  if (node.entries !== null) return node.entries
  if (node.value !== null) problems.add(node.place, `${what} must be a map of names and values`)
  return []
}

/** The nodes of a list; of anything else none, and a problem is told. Nothing written is an empty list. */
export function itemsOf(node: ConfigNode, what: string, problems: Problems): readonly ConfigNode[] {
  if (node.items !== null) return node.items
  if (node.value !== null) problems.add(node.place, `${what} must be a list`)
  return []
}

/** What is written under a key, however that is spelled; undefined: nothing. */
export function childOf(node: ConfigNode, key: string): ConfigNode | undefined {
  const found = node.entries?.find((entry) => folded(entry.key) === folded(key))?.node
  return found === undefined || found.value === null ? undefined : found
}

/** `dial-timeout`, `dial_timeout`, `dialTimeout` and `DialTimeout` are one key. */
export function folded(key: string): string {
  return key.replaceAll(/[-_]/g, '').toLowerCase()
}
