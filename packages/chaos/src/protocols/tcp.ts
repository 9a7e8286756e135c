import { oneOf } from '../attributes.ts'
import { defineFault, type FaultDefinition } from '../faults/definition.ts'
import { defineProtocol } from './protocol.ts'

interface TcpErrorAttributes {
  mode: 'replace' | 'inject'
}

const tcpError = defineFault<TcpErrorAttributes>({
  type: 'tcp_error',
  summary: 'random bytes in place of what the backend sends, or among it',
  attributes: {
    mode: oneOf(['replace', 'inject'], {
      initial: 'replace',
      help: 'in place of the bytes, or 100 bytes in the middle of them',
    }),
  },
  units: ['connection', 'chunk'],
})

/** Bytes of which nothing is known: a connection is one request and one reply. */
export const tcp = defineProtocol({
  name: 'tcp',
  summary: 'bytes; a connection is one request',
  error: tcpError as FaultDefinition<never>,
  open: null,
})
