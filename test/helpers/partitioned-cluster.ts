import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PartitionMatrix } from '@loads-runner/chaos'
import { startCli } from './run-cli.ts'
import type { RunningCli } from './run-cli.ts'
import { StandingCluster } from './standing-cluster.ts'
import { cleanUpAfterTest } from './temporary.ts'

/** A standing cluster whose agents a1 and a2, and an operator, reach the broker through a matrix in this process. */
export class PartitionedCluster {
  readonly cluster: StandingCluster
  readonly matrix: PartitionMatrix

  private constructor(cluster: StandingCluster, matrix: PartitionMatrix) {
    this.cluster = cluster
    this.matrix = matrix
  }

  static async start(files: Readonly<Record<string, string>>): Promise<PartitionedCluster> {
    const cluster = await StandingCluster.start({ agents: [], files })
    const matrix = new PartitionMatrix({
      endpoints: { broker: cluster.address, a1: null, a2: null, operator: null },
    })
    cleanUpAfterTest(() => matrix.close())
    const partitioned = new PartitionedCluster(cluster, matrix)
    await Promise.all(['a1', 'a2'].map((name) => partitioned.startAgent(name)))
    return partitioned
  }

  /** Resolves when the broker has accepted it. */
  async startAgent(name: string): Promise<RunningCli> {
    return this.cluster.startAgent(name, [], { join: await this.#joinThrough(name, 'agent') })
  }

  agent(name: string): RunningCli {
    return this.cluster.agent(name)
  }

  /** A console that reaches the broker through the matrix. */
  async startOperator(args: readonly string[]): Promise<RunningCli> {
    const file = await this.#joinThrough('operator', 'operator')
    return startCli([...args, '--broker', `@${file}`], { cwd: this.cluster.directory, timeoutMs: 200_000 })
  }

  /** The broker's join file of a role, with the address of the way that begins at this endpoint. */
  async #joinThrough(endpoint: string, role: 'agent' | 'operator'): Promise<string> {
    const address = await this.matrix.address(endpoint, 'broker')
    const file = join(this.cluster.directory, `${endpoint}.join`)
    await writeJoin(this.cluster.join(role), file, address)
    return file
  }
}

/** Copies a join file with another address. */
export async function writeJoin(from: string, to: string, address: string): Promise<void> {
  const text = await readFile(from, 'utf8')
  const moved = text.replace(/(?<=loads:\/\/)[^/]+/, address)
  assert.ok(moved.includes(`loads://${address}/`))
  await writeFile(to, moved, { mode: 0o600 })
}
