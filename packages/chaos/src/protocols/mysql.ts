import type { FaultDefinition } from '../faults/definition.ts'
import { MysqlDialogue } from './mysql-dialogue.ts'
import { mysqlError } from './mysql-error.ts'
import { defineProtocol } from './protocol.ts'

/**
 * MySQL and MariaDB. A request is a command: `verb` is the first word of a statement (SELECT, INSERT ...) or the command's own
 * name (PING, PREPARE, EXECUTE, QUIT ...), `text` the statement (16 KiB of it at most; that of a prepared one, 1,000 characters).
 * The server's greeting is the reply to a request CONNECT without bytes, a login is LOGIN and what it asks further AUTH, the
 * content of a file that the server asks for is INFILE. TLS, compression and replication are opaque.
 */
export const mysql = defineProtocol({
  name: 'mysql',
  summary: 'MySQL and MariaDB; a request is a command, the first one the greeting',
  error: mysqlError as FaultDefinition<never>,
  open: (talk) => new MysqlDialogue(talk),
})
