import { onlyTerminated } from '../tls/only-terminated.ts'
import { defineFault } from './definition.ts'

/** Ends as one who is cut off: the client cannot know that it has everything. */
export const tlsNoCloseNotify = defineFault<Record<never, never>>({
  type: 'tls_no_close_notify',
  summary: 'ends the connection without the close_notify of TLS',
  attributes: {},
  units: ['connection'],
  check: onlyTerminated,
  connect: () => ({ tls: { closeNotify: false } }),
})
