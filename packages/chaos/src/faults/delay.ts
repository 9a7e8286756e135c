import { flag, seconds } from '../attributes.ts'
import { defineFault } from './definition.ts'

interface DelayAttributes {
  sleep: number
  before: boolean
}

/** A delay counts from the first byte of its message; those behind it wait with it, and not again by as much. */
export const delay = defineFault<DelayAttributes>({
  type: 'delay',
  summary: 'a request, or its reply, and all behind it comes later',
  attributes: {
    sleep: seconds({ initial: 1000, help: 'how much later' }),
    before: flag({
      initial: true,
      help: 'true: before the backend gets the request; false: after it replied',
    }),
  },
  units: ['request', 'connection', 'chunk'],
  treat: (_exchange, { sleep, before }) => (before ? { delayRequestMs: sleep } : { delayReplyMs: sleep }),
})
