import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Summary } from '@loads-runner/metrics'
import type { OperatorResults } from '@loads-runner/protocol'
import { runCli, startCli } from './run-cli.ts'
import type { CliOptions, CliResult, RunningCli } from './run-cli.ts'
import { temporaryDirectory } from './temporary.ts'

type AgentSummary = Summary['agents'][number]

export interface StandingClusterOptions {
  /** Names of its agents; three unless told. */
  agents?: readonly string[]
  /** More arguments of every agent. */
  agentArgs?: readonly string[]
  brokerArgs?: readonly string[]
  /** Address of this machine at which the broker listens; 127.0.0.1 unless told. */
  host?: string
  /** Files in the directory where its consoles run. */
  files?: Readonly<Record<string, string>>
}

/** A broker and its agents that stay between runs, as an operator would start them by hand. Gone after the test. */
export class StandingCluster {
  /** Where consoles run; the state directory is in it. */
  readonly directory: string
  readonly stateDir: string
  readonly agents = new Map<string, RunningCli>()
  broker!: RunningCli
  /** `host:port` */
  address = ''

  private constructor(directory: string) {
    this.directory = directory
    this.stateDir = join(directory, 'state')
  }

  static async start(options: StandingClusterOptions = {}): Promise<StandingCluster> {
    const { agents = ['a1', 'a2', 'a3'], agentArgs = [], brokerArgs = [], files = {}, host } = options
    const cluster = new StandingCluster(await temporaryDirectory(files))
    if (host !== undefined) cluster.address = `${host}:0`
    // Agents wait for the join file, so all can start at once.
    await Promise.all([
      cluster.startBroker(brokerArgs),
      ...agents.map((name) => cluster.startAgent(name, agentArgs)),
    ])
    return cluster
  }

  /** On any free port, or on the one that it had. */
  async startBroker(more: readonly string[] = []): Promise<RunningCli> {
    const bind = this.address === '' ? '127.0.0.1:0' : this.address
    const args = ['--bind', bind, '--state-dir', this.stateDir, ...more]
    this.broker = await startCli(args, { binary: 'loads-broker', ...standing })
    this.address = (await this.broker.waitForLine(/listens on ([\d.]+:\d+); join files/))[1]!
    return this.broker
  }

  /**
   * Resolves when the broker has accepted it.
   *
   * @param join the file that says where the broker is
   * @param at see `CliOptions`
   */
  async startAgent(
    name: string,
    args: readonly string[] = [],
    { join = this.join('agent'), at }: { join?: string } & Pick<CliOptions, 'at'> = {},
  ): Promise<RunningCli> {
    const all = ['--broker', `@${join}`, '--name', name, ...args]
    const agent = await startCli(all, { binary: 'loads-agent', ...standing, ...(at ? { at } : {}) })
    this.agents.set(name, agent)
    await agent.waitForLine(/is registered/)
    return agent
  }

  agent(name: string): RunningCli {
    return this.agents.get(name)!
  }

  join(role: 'agent' | 'operator'): string {
    return join(this.stateDir, `${role}.join`)
  }

  /** A console of this broker, to its end. */
  run(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    return runCli(this.#args(args), { cwd: this.directory, ...options })
  }

  /** A console of this broker that is to be watched, signalled or killed. */
  start(args: readonly string[], options: CliOptions = {}): Promise<RunningCli> {
    return startCli(this.#args(args), { cwd: this.directory, ...options })
  }

  /** What a query command answers with `--json -`. */
  async ask<T extends 'ping' | 'list-runs' | 'purge'>(type: T): Promise<OperatorResults[T]> {
    const option = type === 'list-runs' ? '--list-runs' : `--${type}-broker`
    const { exitCode, stdout, stderr } = await this.run([option, '--json', '-'])
    assert.equal(exitCode, 0, stderr)
    return JSON.parse(stdout) as OperatorResults[T]
  }

  #args(args: readonly string[]): string[] {
    return [...args, '--broker', `@${this.join('operator')}`]
  }
}

const standing = { timeoutMs: 300_000, mayLeaveProcesses: true }

/** The books of every agent and of the whole run: nothing is counted twice, nothing is forgotten. */
export function assertLedgerBalances({ tests, hits, agents, coverage }: Summary): void {
  const sumOf = (figure: (agent: AgentSummary) => number) =>
    agents.reduce((sum, agent) => sum + figure(agent), 0)
  for (const { id, ledger } of agents) assert.equal(ledger.started, ledger.reported + ledger.lost, id)
  assert.equal(tests.started, tests.finished + tests.interrupted + tests.lost)
  assert.equal(tests.finished, tests.successes + tests.failures + tests.errors)
  assert.equal(
    sumOf((agent) => agent.ledger.started),
    tests.started,
  )
  assert.equal(
    sumOf((agent) => agent.ledger.finished),
    tests.finished,
  )
  assert.equal(
    sumOf((agent) => agent.ledger.lost),
    tests.lost,
  )
  assert.equal(
    sumOf((agent) => agent.hits),
    hits.count,
  )
  assert.equal(
    sumOf((agent) => agent.windows),
    coverage.windowsReceived,
  )
  assert.equal(
    sumOf((agent) => agent.windowsLost),
    coverage.windowsOwed - coverage.windowsReceived,
  )
}
