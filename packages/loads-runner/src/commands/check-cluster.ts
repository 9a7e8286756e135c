import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Summary } from '@loads-runner/metrics'
import type { AgentRow } from '@loads-runner/protocol'
import type { BrokerConnection } from '../broker-connection.ts'
import { silentDisplay } from '../console/display.ts'
import { formatMillis, plural } from '../console/figures.ts'
import { oneLine, textTable } from '../console/text-table.ts'
import { RunnerError } from '../errors.ts'
import { Interrupts } from '../interrupts.ts'
import type { Scenario } from '@loads-runner/testcase/load'
import { planRun } from '../plan-run.ts'
import { defaultScenario } from '../plan-scenarios.ts'
import type { Invocation } from '../read-settings.ts'
import { Secrets } from '@loads-runner/testcase/secrets'
import { readPem } from '../start-run.ts'
import { watchRun } from '../watch-run.ts'
import type { World } from '../world.ts'
import { answer } from './answer.ts'
import { withBroker } from './with-broker.ts'

/** What one agent did in the check. */
export interface CheckRow {
  agent: string
  host: string
  version: string
  /** The test ran there and its result came back. */
  ran: boolean
  /** Status or error of its request to the target; null when it made none. */
  target: string | null
  targetMs: number | null
}

const checkName = 'cluster-check.ClusterCheck'
/** How long an agent may take for the whole check. */
const checkMs = 30_000
/** How long an agent may take to become free again after a run. */
const clearMs = 2000

/** `--check-cluster`: a small run on all idle agents, to see that bundles, load and results get through. */
export async function checkClusterCommand(world: World, invocation: Invocation): Promise<number> {
  const interrupts = new Interrupts(world)
  try {
    return await withBroker(invocation, async (connection) => {
      const { idle, busy } = await interrupts.race(agentsOf(connection))
      if (idle.length === 0) {
        const text =
          busy.length === 0 ? 'no agent is registered' : `all ${plural(busy.length, 'agent')} are busy`
        throw new RunnerError('RUNNER_CLUSTER', `there is nothing to check: ${text}`)
      }
      const summary = await checkRun(world, invocation, connection, idle.length, interrupts)
      const rows = checkRows(idle, summary)
      const healthy = rows.every((row) => row.ran && (row.target === null || row.targetMs !== null))
      const result = { agents: rows, busy: busy.map((agent) => agent.id), summary }
      await answer(world, invocation, result, () => checkText(rows, summary, busy))
      return healthy && summary.exitCode === 0 ? 0 : summary.exitCode || 1
    })
  } finally {
    interrupts.close()
  }
}

/** Those with a free slot, and the others. Where a run has just ended, its agents are given a moment to clear it away. */
async function agentsOf(connection: BrokerConnection): Promise<{ idle: AgentRow[]; busy: AgentRow[] }> {
  for (const deadline = performance.now() + clearMs; ; await sleep(clearMs / 10)) {
    const { agents } = await connection.request('ping', {})
    const idle = agents.filter((agent) => agent.busy < agent.slots)
    const busy = agents.filter((agent) => agent.busy >= agent.slots)
    if (busy.length === 0 || performance.now() > deadline) return { idle, busy }
  }
}

async function checkRun(
  world: World,
  { settings, sources }: Invocation,
  connection: BrokerConnection,
  agents: number,
  interrupts: Interrupts,
): Promise<Summary> {
  const { bundleTests } = await import('@loads-runner/engine')
  const testDir = fileURLToPath(new URL('../check/', import.meta.url))
  const bundle = await bundleTests({ testDir, names: [checkName], includeFiles: [], external: [] })
  const target = settings.serverUrl
  const check = {
    ...settings,
    agents,
    param: target === null ? {} : { target },
    testTimeout: checkMs,
    maxSeries: Math.max(1000, agents * 10),
  }
  const pem = await readPem(settings, world.cwd)
  const scenario: Scenario = {
    name: defaultScenario,
    tests: bundle.tests.map(({ label }) => ({ label, weight: 1 })),
    startMs: 0,
    stages: [{ type: 'hits-per-user', users: agents, iterations: 1, rampUpMs: 0, maxDurationMs: null }],
    pause: { type: 'none' },
    gracefulStopMs: checkMs,
    tags: {},
    params: {},
  }
  const context = {
    tests: [checkName],
    sources,
    pem,
    env: world.env,
    seed: 0,
    debugged: false,
    scenarios: [scenario],
    thresholds: [],
    replay: null,
    outputs: [],
    proxies: null,
  }
  const spec = planRun(check, bundle, context)
  await interrupts.race(connection.putBundle(bundle.hash, bundle.bytes))
  const { runId } = await interrupts.race(connection.request('submit', { spec }))
  const { view } = await watchRun({
    connection,
    runId,
    redial: null,
    patienceMs: 0,
    display: { ...silentDisplay, notice: (text) => world.stderr.write(`${text}\n`) },
    debug: settings.debug,
    interrupts,
    secrets: new Secrets([]),
    askToDetach: null,
    stopReason: null,
    onMessage: () => {},
    prepare: () => null,
  })
  if (view.summary === null) throw new RunnerError('RUNNER_INTERRUPTED', 'the check was left before its end')
  return view.summary
}

/** Who did what, by the names that the test gave its counters. */
export function checkRows(
  agents: readonly AgentRow[],
  { counters, timings }: Pick<Summary, 'counters' | 'timings'>,
): CheckRow[] {
  return agents.map(({ id, host, version }) => {
    const prefix = `answer ${id} `
    const target =
      Object.keys(counters)
        .find((name) => name.startsWith(prefix))
        ?.slice(prefix.length) ?? null
    return {
      agent: id,
      host,
      version,
      ran: (counters[`checked ${id}`] ?? 0) > 0,
      target,
      targetMs: timings[`answer ${id}`]?.mean ?? null,
    }
  })
}

export function checkText(
  rows: readonly CheckRow[],
  { verdict, reasons }: Pick<Summary, 'verdict' | 'reasons'>,
  busy: readonly Pick<AgentRow, 'id' | 'runs'>[] = [],
): string {
  const table = textTable(rows, [
    { title: 'agent', of: (row) => row.agent },
    { title: 'host', of: (row) => row.host },
    { title: 'version', of: (row) => row.version },
    { title: 'test', of: (row) => (row.ran ? 'ok' : 'did not run') },
    ...(rows.some((row) => row.target !== null)
      ? [
          {
            title: 'target',
            of: (row: CheckRow) =>
              `${row.target ?? '-'} ${row.targetMs === null ? '' : formatMillis(row.targetMs)}`,
          },
        ]
      : []),
  ])
  const left = busy.map(({ id, runs }) => oneLine(`not checked: ${id} is busy (${runs.join(' ')})`) + '\n')
  const why = reasons.map((reason) => `  ${reason}\n`)
  return `${table}\n${left.join('')}${plural(rows.length, 'agent')} checked: ${verdict}\n${why.join('')}`
}
