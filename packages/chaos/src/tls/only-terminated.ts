import type { FaultContext } from '../faults/definition.ts'

/** What is wrong with a fault of TLS on a proxy that does not speak it with its clients; null: nothing. */
export function onlyTerminated(_attributes: unknown, { terminatesTls }: FaultContext): string | null {
  return terminatesTls === false
    ? 'the proxy speaks no TLS with its clients: write tls:// in front of listen'
    : null
}
