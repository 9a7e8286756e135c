/** Errors that the server sends, with the text that it sends with them. */
const usualTexts: ReadonlyMap<string, string> = new Map([
  ['ERR', 'injected fault'],
  ['OOM', "command not allowed when used memory > 'maxmemory'."],
  ['READONLY', "You can't write against a read only replica."],
  ['LOADING', 'Redis is loading the dataset in memory'],
  ['BUSY', 'Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'],
  ['CLUSTERDOWN', 'The cluster is down'],
  ['TRYAGAIN', 'Multiple keys request during rehashing of slot'],
  ['MASTERDOWN', "Link with MASTER is down and replica-serve-stale-data is set to 'no'."],
  ['NOREPLICAS', 'Not enough good replicas to write.'],
  ['MISCONF', 'Errors writing to the AOF file: No space left on device'],
  ['NOAUTH', 'Authentication required.'],
  ['WRONGPASS', 'invalid username-password pair or user is disabled.'],
  ['NOPERM', 'this user has no permissions to run this command'],
  ['WRONGTYPE', 'Operation against a key holding the wrong kind of value'],
  ['NOSCRIPT', 'No matching script. Please use EVAL.'],
  ['CROSSSLOT', "Keys in request don't hash to the same slot"],
])

/** Their text is the slot of the key and where it is now. */
const redirections = new Set(['MOVED', 'ASK'])

export const knownStatuses: readonly string[] = [...usualTexts.keys(), ...redirections]

/** A status as it was asked for: `-READONLY`, `LOADING:3`, `-ERR:2 some text`. */
export interface RedisStatus {
  word: string
  /** Null: the usual one. */
  text: string | null
}

export function isRedirection(word: string): boolean {
  return redirections.has(word)
}

/** The text of a status that has one of its own. */
export function usualText(word: string): string {
  return usualTexts.get(word) ?? ''
}

/** What a written status means; undefined: nothing, or an error that no server sends and that has no text. */
export function readStatus(written: string): { status: RedisStatus; weight: number } | undefined {
  const found = /^-?([A-Za-z][A-Za-z0-9_]{0,39})(?::(\d{1,6}))?(?: (.{1,400}))?$/.exec(written)
  if (found === null) return undefined
  const word = found[1]!.toUpperCase()
  const weight = found[2] === undefined ? 1 : Number(found[2])
  const text = found[3] ?? null
  if (weight === 0 || (text === null && !knownStatuses.includes(word))) return undefined
  return { status: { word, text }, weight }
}
