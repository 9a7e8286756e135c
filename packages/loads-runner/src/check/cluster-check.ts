import { TestCase } from '@loads-runner/testcase'

/** What `--check-cluster` runs once on every idle agent. Shipped like any other test; names carry the agent's id. */
export class ClusterCheck extends TestCase {
  async test_agent(): Promise<void> {
    const { agent } = this.run
    this.incrCounter(`checked ${agent}`)
    const target = this.params['target']
    if (target === undefined) return
    const from = performance.now()
    try {
      const { status } = await this.session.get(target)
      this.incrCounter(`answer ${agent} ${status}`)
      this.recordTiming(`answer ${agent}`, performance.now() - from)
    } catch (error) {
      this.incrCounter(`answer ${agent} ${error instanceof Error ? error.message : String(error)}`)
      throw error
    }
  }
}
