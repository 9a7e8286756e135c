import { AssertionError } from 'node:assert'
import type { Meter } from './meter.ts'

/** How many names of failed checks a message holds. */
const mostNamed = 10

/** For tests that nobody counts: remembers the checks that failed, so that they fail the test at its end. */
export class StandaloneMeter implements Meter {
  readonly #failed = new Map<string, number>()
  #checks = 0

  check(name: string, ok: boolean): void {
    this.#checks++
    if (!ok) this.#failed.set(name, (this.#failed.get(name) ?? 0) + 1)
  }

  hit(): void {}
  phase(): void {}
  step(): void {}
  connection(): void {}
  socket(): void {}
  count(): void {}
  gauge(): void {}
  timing(): void {}

  /**
   * Ends an execution.
   *
   * @throws {AssertionError} checks failed; names them
   */
  settle(): void {
    const failed = [...this.#failed]
    const checks = this.#checks
    this.#failed.clear()
    this.#checks = 0
    if (failed.length === 0) return
    const times = failed.reduce((sum, [, count]) => sum + count, 0)
    const named = failed
      .slice(0, mostNamed)
      .map(([name, count]) => (count === 1 ? name : `${name} (${count} times)`))
    if (failed.length > mostNamed) named.push('...')
    throw new AssertionError({
      message: `${times} of ${checks} checks failed: ${named.join(', ')}`,
      actual: times,
      expected: 0,
      operator: 'check',
    })
  }
}
