import type { FaultDefinition } from '../faults/definition.ts'
import { defineProtocol } from './protocol.ts'
import { RedisDialogue } from './redis-dialogue.ts'
import { redisError } from './redis-error.ts'

/**
 * RESP2 and RESP3. A request is a command: `verb` is its name, `path` its first key, `text` its words (the first eight, so far
 * as they fit 16 KiB), subcommand included. What follows MONITOR or the beginning of replication is opaque.
 */
export const redis = defineProtocol({
  name: 'redis',
  summary: 'Redis, RESP2 and RESP3; a request is a command',
  error: redisError as FaultDefinition<never>,
  open: (talk) => new RedisDialogue(talk),
})
