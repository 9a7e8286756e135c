/** Cost of an execution by itself: one thread, tests that do nothing, and tests that wait one turn. Run by hand. */
import { closed, runSession } from '../test/helpers/run-session.ts'

const body: Record<string, string> = {
  'nothing at all': '',
  'one await': 'await null',
  'one counter': `this.incrCounter('c')`,
  'a random number': 'this.random.next()',
}
const iterations = 300_000

for (let round = 0; round < 3; round++) {
  for (const [name, code] of Object.entries(body)) {
    const source = `
import { TestCase } from '@loads-runner/testcase'
export class TestBench extends TestCase { async test_a() { ${code} } }`
    let begun = 0
    const run = await runSession({
      files: { 'example.ts': source },
      stages: [closed(1, iterations)],
      spec: { windowMs: 1000 },
      during: () => void (begun = performance.now()),
    })
    const micros = ((performance.now() - begun) * 1000) / iterations
    console.log(`${name.padEnd(16)} ${micros.toFixed(2)} µs per execution, ${run.windows.length} windows`)
  }
}
