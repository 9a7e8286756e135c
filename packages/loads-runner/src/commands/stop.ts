import type { Invocation } from '../read-settings.ts'
import type { World } from '../world.ts'
import { answer } from './answer.ts'
import { withBroker } from './with-broker.ts'

/** `--stop RUN`: its users finish what they are doing. Once more cuts them off. */
export async function stopCommand(world: World, invocation: Invocation): Promise<number> {
  return withBroker(invocation, async (connection) => {
    const runId = invocation.settings.stop!
    const { runs } = await connection.request('list-runs', {})
    const mode = runs.find((run) => run.runId === runId)?.state === 'draining' ? 'cancel' : 'drain'
    const { state } = await connection.request('stop', { runId, mode, reason: 'operator' })
    const how =
      mode === 'cancel'
        ? ': users are cut off'
        : state === 'draining'
          ? ': users finish what they are doing (--stop once more cuts them off)'
          : ''
    await answer(world, invocation, { runId, state }, () => `run ${runId} is ${state}${how}\n`)
    return 0
  })
}
