/** Commands that name no key. */
const keyless = new Set(
  (
    'ACL ASKING AUTH BGREWRITEAOF BGSAVE CLIENT CLUSTER COMMAND CONFIG DBSIZE DEBUG DISCARD ECHO EXEC FAILOVER ' +
    'FLUSHALL FLUSHDB FUNCTION HELLO INFO KEYS LASTSAVE LATENCY LOLWUT MODULE MONITOR MULTI PING PSUBSCRIBE PSYNC ' +
    'PUBLISH PUBSUB PUNSUBSCRIBE QUIT RANDOMKEY READONLY READWRITE REPLCONF REPLICAOF RESET ROLE SAVE SCAN SCRIPT ' +
    'SELECT SENTINEL SHUTDOWN SLAVEOF SLOWLOG SPUBLISH SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SWAPDB SYNC TIME ' +
    'UNSUBSCRIBE UNWATCH WAIT WAITAOF'
  ).split(' '),
)

/** Commands of which a second word says what they do. */
const containers = new Set(
  (
    'ACL CLIENT CLUSTER COMMAND CONFIG DEBUG FUNCTION LATENCY MEMORY MODULE OBJECT PUBSUB SCRIPT SENTINEL SLOWLOG ' +
    'XGROUP XINFO'
  ).split(' '),
)

/** Where the key stands that is not the first word behind the command. */
const places: ReadonlyMap<string, number> = new Map([
  ['BITOP', 2],
  ['MEMORY', 2],
  ['MIGRATE', 3],
  ['OBJECT', 2],
  ['XGROUP', 2],
  ['XINFO', 2],
])

/** Where the number of keys stands; the keys follow it. */
const countPlaces: ReadonlyMap<string, number> = new Map([
  ['BLMPOP', 2],
  ['BZMPOP', 2],
  ['EVAL', 2],
  ['EVALSHA', 2],
  ['EVALSHA_RO', 2],
  ['EVAL_RO', 2],
  ['FCALL', 2],
  ['FCALL_RO', 2],
  ['LMPOP', 1],
  ['SINTERCARD', 1],
  ['ZDIFF', 1],
  ['ZINTER', 1],
  ['ZINTERCARD', 1],
  ['ZMPOP', 1],
  ['ZUNION', 1],
])

export function hasSubcommand(verb: string): boolean {
  return containers.has(verb)
}

/** The first key of a command, undefined where there is none. `words` begin with the command itself. */
export function firstKey(verb: string, words: readonly string[]): string | undefined {
  if (keyless.has(verb)) return undefined
  if (verb === 'XREAD' || verb === 'XREADGROUP') {
    const streams = words.findIndex((word) => word.toUpperCase() === 'STREAMS')
    return streams === -1 ? undefined : words[streams + 1]
  }
  const place = countPlaces.get(verb)
  if (place === undefined) return words[places.get(verb) ?? 1]
  return Number(words[place]) > 0 ? words[place + 1] : undefined
}
