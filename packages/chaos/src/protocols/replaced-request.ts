import type { Flow, Stage } from '../faults/stage.ts'

/** Another request goes to the backend in place of the client's. */
export function replacedRequest(bytes: Buffer): (flow: Flow) => Stage {
  return (flow) => ({
    onBytes() {
      // Nothing of it goes on.
    },
    onEnd() {
      flow.pass(bytes)
      flow.end()
    },
  })
}
