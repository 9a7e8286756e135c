import { defineFault } from './definition.ts'

export const abort = defineFault<object>({
  type: 'abort',
  summary: 'the backend gets the request and is closed then; the client gets an end without a reply',
  attributes: {},
  units: ['request', 'connection', 'chunk'],
  treat: () => ({ ending: 'abort' }),
})
