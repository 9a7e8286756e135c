import type { Invocation } from '../read-settings.ts'
import type { World } from '../world.ts'
import { answer } from './answer.ts'
import { withBroker } from './with-broker.ts'

/** `--stop RUN`: its users finish what they are doing. Once more cuts them off, and again kills. */
export async function stopCommand(world: World, invocation: Invocation): Promise<number> {
  return withBroker(invocation, async (connection) => {
    const runId = invocation.settings.stop!
    const result = await connection.request('stop', { runId, mode: 'drain', reason: 'operator' })
    await answer(world, invocation, { runId, ...result }, () => `run ${runId} is ${result.state}\n`)
    return 0
  })
}
