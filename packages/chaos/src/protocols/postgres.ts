import type { FaultDefinition } from '../faults/definition.ts'
import { PostgresDialogue } from './postgres-dialogue.ts'
import { postgresError } from './postgres-error.ts'
import { defineProtocol } from './protocol.ts'

/**
 * Postgres, version 3 of its protocol. A request is a simple query, or all messages up to Sync or Flush: `verb` is the first word
 * of the first statement (SELECT, INSERT ...), `text` the statement (16 KiB of it at most; that of a prepared one, 1,000
 * characters). A login is CONNECT and what the server asks further AUTH, data of COPY FROM STDIN is COPYDATA, an end QUIT.
 * Encryption that the server agrees to, and replication, are opaque.
 */
export const postgres = defineProtocol({
  name: 'postgres',
  summary: 'PostgreSQL; a request is a query, the first one the login',
  error: postgresError as FaultDefinition<never>,
  open: (talk) => new PostgresDialogue(talk),
})
