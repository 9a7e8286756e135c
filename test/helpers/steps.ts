import assert from 'node:assert/strict'
import { startServer } from './own-server.ts'
import type { OwnServer } from './own-server.ts'
import { descendantsOf } from './processes.ts'
import type { RunningCli } from './run-cli.ts'

/** How long the target of {@link stepsOf} takes for a request. */
export const stepMs = 20

/** A target that takes its time, so that a user makes at most fifty requests a second. */
export function startSteps(host?: string): Promise<OwnServer> {
  return startServer((_request, response) => void setTimeout(() => response.end('{}'), stepMs), host)
}

/** The test to run: `steps.TestSteps.test_step`. Its target sees which user makes which iteration. */
export const stepsOf = (target: OwnServer) => ({
  'steps.ts': `
    import { TestCase } from 'loads-runner'
    export class TestSteps extends TestCase {
      async test_step() {
        await this.session.get('${target.url}/:user/:iteration', { params: { user: this.user, iteration: this.iteration } })
      }
    }`,
})

/**
 * From now on a target answers nobody, so that nothing of a run comes to its end meanwhile.
 *
 * @returns answers what has come, and all that follows
 */
export function holdAnswers(target: OwnServer): () => void {
  const { answer } = target
  const held: (() => void)[] = []
  target.answer = (request, response) => void held.push(() => answer(request, response))
  return () => {
    target.answer = answer
    for (const each of held) each()
  }
}

/** The process of one agent of a console that has its own; `broker` for its broker. */
export function pidOfAgent(run: RunningCli, name: string): number {
  const sign = name === 'broker' ? 'loads-broker' : `--name ${name}`
  const found = descendantsOf(run.pid).filter(({ command }) => command.includes(sign))
  assert.equal(found.length, 1)
  return found[0]!.pid
}
