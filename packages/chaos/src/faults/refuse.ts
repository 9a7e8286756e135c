import { oneOf } from '../attributes.ts'
import { defineFault } from './definition.ts'

interface RefuseAttributes {
  how: 'rst' | 'fin'
}

/** New connections are cut at once, and the backend never knows. Those that are there live on. */
export const refuse = defineFault<RefuseAttributes>({
  type: 'refuse',
  summary: 'new connections are cut at once',
  attributes: { how: oneOf(['rst', 'fin'], { initial: 'rst', help: 'a reset, or an orderly end' }) },
  units: ['connection'],
  connect: (_attempt, { how }) => ({ refuse: how }),
})
