import type { RunRow } from '@loads-runner/protocol'
import { formatCount } from '../console/figures.ts'
import { textTable } from '../console/text-table.ts'
import type { Invocation } from '../read-settings.ts'
import type { World } from '../world.ts'
import { answer } from './answer.ts'
import { withBroker } from './with-broker.ts'

/** `--list-runs`: the runs that a broker knows, the newest last. */
export async function listRunsCommand(world: World, invocation: Invocation): Promise<number> {
  return withBroker(invocation, async (connection) => {
    const result = await connection.request('list-runs', {})
    await answer(world, invocation, result, () => runsText(result.runs))
    return 0
  })
}

export function runsText(runs: readonly RunRow[]): string {
  if (runs.length === 0) return 'no runs\n'
  return textTable(runs, [
    { title: 'run', of: (row) => row.runId },
    { title: 'state', of: (row) => row.state },
    { title: 'verdict', of: (row) => row.verdict ?? '-' },
    { title: 'submitted', of: (row) => new Date(row.submittedAt).toISOString().replace(/\.\d+Z$/, 'Z') },
    { title: 'agents', align: 'right', of: (row) => String(row.agents.length) },
    { title: 'hits', align: 'right', of: (row) => formatCount(row.hits) },
    { title: 'by', of: (row) => [row.project, row.user].filter((each) => each !== null).join(' / ') || '-' },
    { title: 'tests', of: (row) => row.names.join(' ') },
  ])
}
