import { defineFault } from './definition.ts'

/** New connections are accepted and never served, until the fault is removed or the client leaves. */
export const ignore = defineFault<object>({
  type: 'ignore',
  summary: 'new connections get no answer',
  attributes: {},
  units: ['connection'],
  connect: () => ({ ignore: true }),
})
