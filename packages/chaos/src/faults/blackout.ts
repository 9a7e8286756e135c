import { oneOf } from '../attributes.ts'
import { defineFault } from './definition.ts'

interface BlackoutAttributes {
  how: 'fin' | 'rst'
}

export const blackout = defineFault<BlackoutAttributes>({
  type: 'blackout',
  summary: 'the client is closed, and the backend never sees the request',
  attributes: {
    how: oneOf(['fin', 'rst'], { initial: 'fin', help: 'an orderly end, or a reset' }),
  },
  units: ['request', 'connection', 'chunk'],
  treat: (_exchange, { how }) => ({ ending: how === 'fin' ? 'blackout' : 'reset' }),
})
