import type { FaultDefinition } from '../faults/definition.ts'
import { MemcacheDialogue } from './memcache-dialogue.ts'
import { memcacheError } from './memcache-error.ts'
import { defineProtocol } from './protocol.ts'

/**
 * The text protocol of memcached and its meta commands. `verb` is the command, `path` its first key, `text` its line. The binary
 * protocol goes through as it is: opaque.
 */
export const memcache = defineProtocol({
  name: 'memcache',
  summary: 'memcached, text protocol; a request is a command',
  error: memcacheError as FaultDefinition<never>,
  open: (talk) => new MemcacheDialogue(talk),
})
