import { defineFault } from './definition.ts'
import type { Stage } from './stage.ts'

/** Connections that are there are reset at once, without waiting for a byte; so are new ones, once they reached the backend. */
export const sever = defineFault<object>({
  type: 'sever',
  summary: 'a reset to both sides, at once',
  attributes: {},
  units: ['connection'],
  tells: true,
  stage(flow): Stage<object> {
    // Not while the connection is still taking in the change.
    flow.after(0, () => {
      flow.applied()
      flow.close('rst')
    })
    return {
      onBytes: (bytes) => flow.pass(bytes),
      onEnd: () => flow.end(),
    }
  },
})
