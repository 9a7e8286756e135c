import type { AgentRow, OperatorResults } from '@loads-runner/protocol'
import { plural } from '../console/figures.ts'
import { textTable } from '../console/text-table.ts'
import type { Invocation } from '../read-settings.ts'
import type { World } from '../world.ts'
import { answer } from './answer.ts'
import { withBroker } from './with-broker.ts'

/** `--ping-broker`: is it there, and which agents has it. */
export async function pingBrokerCommand(world: World, invocation: Invocation): Promise<number> {
  return withBroker(invocation, async (connection) => {
    const from = performance.now()
    const result = await connection.request('ping', {})
    const millis = performance.now() - from
    await answer(world, invocation, { ...result, millis }, () => pingText(result, millis))
    return 0
  })
}

export function pingText(result: OperatorResults['ping'], millis: number): string {
  const { version, pid, address, agents, activeRuns } = result
  const head =
    `broker ${address} (version ${version}, pid ${pid}) answered in ${millis.toFixed(1)} ms: ` +
    `${plural(agents.length, 'agent')}, ${plural(activeRuns, 'active run')}\n`
  return head + agentTable(agents)
}

function agentTable(agents: readonly AgentRow[]): string {
  return textTable(agents, [
    { title: 'agent', of: (row) => row.id },
    { title: 'host', of: (row) => row.host },
    { title: 'pid', align: 'right', of: (row) => String(row.pid) },
    { title: 'version', of: (row) => row.version },
    { title: 'busy', align: 'right', of: (row) => `${row.busy}/${row.slots}` },
    {
      title: 'labels',
      of: (row) =>
        Object.entries(row.labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(' '),
    },
    { title: 'runs', of: (row) => row.runs.join(' ') },
  ])
}
