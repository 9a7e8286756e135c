import { flag, quiet, seconds } from '../attributes.ts'
import { defineFault } from './definition.ts'
import { spreadAttributes, timeAround, type Spread } from './distribution.ts'

interface DelayAttributes extends Spread {
  sleep: number
  before: boolean
}

const spread = spreadAttributes(seconds)

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
    ...spread,
    jitter: quiet(spread.jitter),
  },
  units: ['request', 'connection', 'chunk'],
  treat({ random }, attributes) {
    const ms = timeAround(attributes.sleep, attributes, random)
    return attributes.before ? { delayRequestMs: ms } : { delayReplyMs: ms }
  },
})
