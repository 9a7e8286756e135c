import type { FaultDefinition } from '../faults/definition.ts'
import { defineProtocol } from './protocol.ts'
import { tcpError } from './tcp-error.ts'

/** Bytes of which nothing is known: a connection is one request and one reply. */
export const tcp = defineProtocol({
  name: 'tcp',
  summary: 'bytes; a connection is one request',
  error: tcpError as FaultDefinition<never>,
  open: null,
})
