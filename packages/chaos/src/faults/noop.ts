import { defineFault } from './definition.ts'

/** Nothing: bytes pass as they are. */
export const noop = defineFault<object>({
  type: 'noop',
  summary: 'nothing',
  attributes: {},
  units: ['connection'],
  stage: (flow) => ({ onBytes: (bytes) => flow.pass(bytes), onEnd: () => flow.end() }),
})
