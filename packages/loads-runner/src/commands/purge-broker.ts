import type { Invocation } from '../read-settings.ts'
import type { World } from '../world.ts'
import { answer } from './answer.ts'
import { withBroker } from './with-broker.ts'

/** `--purge-broker`: stops every run. */
export async function purgeBrokerCommand(world: World, invocation: Invocation): Promise<number> {
  return withBroker(invocation, async (connection) => {
    const result = await connection.request('purge', {})
    const { stopped } = result
    const text =
      stopped.length === 0 ? 'there was no run to stop\n' : stopped.map((run) => `stopped ${run}\n`).join('')
    await answer(world, invocation, result, () => text)
    return 0
  })
}
