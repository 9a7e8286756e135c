import { defineFault } from './definition.ts'

export const dummy = defineFault<object>({
  type: 'dummy',
  summary: 'nothing; the rest of percentages by name',
  attributes: {},
  units: ['request', 'connection', 'chunk'],
  treat: () => ({}),
})
