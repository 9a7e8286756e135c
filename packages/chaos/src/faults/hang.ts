import { defineFault } from './definition.ts'

/** Bytes were lost by then: when the rule is removed the connection closes, as there is no way back. */
export const hang = defineFault<object>({
  type: 'hang',
  summary: 'nothing goes on in either direction until the client leaves or the fault is removed',
  attributes: {},
  units: ['request', 'connection', 'chunk'],
  treat: () => ({ ending: 'hang' }),
})
