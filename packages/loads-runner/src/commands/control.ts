import type { RunSpec } from '@loads-runner/protocol'
import type { BrokerConnection } from '../broker-connection.ts'
import { plural } from '../console/figures.ts'
import { UsageError } from '../errors.ts'
import { formatPerSecond } from '../options/rate-values.ts'
import type { Invocation } from '../read-settings.ts'
import type { World } from '../world.ts'
import { answer } from './answer.ts'
import { withBroker } from './with-broker.ts'

/** `--control [RUN]`: changes the load of an externally controlled run of a standing broker. */
export async function controlCommand(world: World, invocation: Invocation): Promise<number> {
  return withBroker(invocation, async (connection) => {
    const { control, ofScenario, setUsers, setRate, pauseLoad, resumeLoad } = invocation.settings
    const { runId } = await connection.request('subscribe', { runId: control || null })
    const controls = controlledBy(await specOf(connection, runId), ofScenario)
    const [wrong, right] = controls === 'users' ? [setRate, '--set-users'] : [setUsers, '--set-rate']
    if (controls !== null && wrong !== null) {
      const given = controls === 'users' ? '--set-rate' : '--set-users'
      throw new UsageError(`${given}: run ${runId} controls its ${controls}: use ${right}`)
    }
    const result = await connection.request('control', {
      runId,
      scenario: ofScenario,
      target: setUsers ?? setRate,
      paused: pauseLoad ? true : resumeLoad ? false : null,
    })
    const load = controls === 'rate' ? formatPerSecond(result.target) : plural(result.target, 'user')
    const text = result.paused ? `paused; ${load} when it goes on` : load
    await answer(world, invocation, { runId, ...result }, () => `run ${runId}, ${result.scenario}: ${text}\n`)
    return 0
  })
}

/** The first event of a subscription holds the whole run. */
function specOf(connection: BrokerConnection, runId: string): Promise<RunSpec> {
  return new Promise((resolve, reject) => {
    connection.onEvent(runId, ({ event }) => {
      if (event.type === 'snapshot') resolve(event.spec)
    })
    void connection.closed.then(({ message, reason }) => reject(new Error(message || reason)))
  })
}

/** Users or rate; null where that is for the broker to say: none, or several that differ. */
function controlledBy({ profile }: RunSpec, scenario: string | null): 'users' | 'rate' | null {
  const kinds = new Set(
    profile.scenarios
      .filter(({ name }) => scenario === null || name === scenario)
      .flatMap(({ stages }) =>
        stages.flatMap((model) => (model.type === 'externally-controlled' ? [model.controls] : [])),
      ),
  )
  return kinds.size === 1 ? [...kinds][0]! : null
}
