import { milliseconds } from '../attributes.ts'
import { defineFault } from './definition.ts'
import { spreadAttributes, timeAround, type Spread } from './distribution.ts'

interface ConnectDelayAttributes extends Spread {
  delay: number
}

/** The client is connected, and waits before the backend is dialled for it. */
export const connectDelay = defineFault<ConnectDelayAttributes>({
  type: 'connect_delay',
  summary: 'the backend is reached later',
  attributes: {
    delay: milliseconds({ initial: 0, help: 'how much later, in milliseconds' }),
    ...spreadAttributes(milliseconds),
  },
  units: ['connection'],
  connect: ({ random }, attributes) => ({ delayMs: timeAround(attributes.delay, attributes, random) }),
})
