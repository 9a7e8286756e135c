import assert from 'node:assert/strict'
import { runCli } from './helpers/run-cli.ts'

/** What users do in modules, and where a bundle could differ from a file: it must not, wherever the test runs. */
const files = {
  'package.json': '{ "type": "module" }',
  'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": false } }',
  'data/users.csv': 'ann,bob',
  'data/limits.json': '{ "most": 5 }',
  'lib/paths.ts': `
    import { readFileSync } from 'node:fs'
    import { dirname, join } from 'node:path'
    import { fileURLToPath } from 'node:url'
    export const beside = dirname(fileURLToPath(import.meta.url))
    export const read = (name: string) => readFileSync(new URL('../data/' + name, import.meta.url), 'utf8')
    export const readByPath = (name: string) => readFileSync(join(beside, '..', 'data', name), 'utf8')`,
  'lib/late.ts': `export const late = 'loaded when asked for'`,
  'lib/old.cjs': `const path = require('node:path'); module.exports = { join: path.join('a', 'b'), here: typeof __dirname }`,
  'features.ts': `
    import { readFile } from 'node:fs/promises'
    import { TestCase, weight } from 'loads-runner'
    import limits from './data/limits.json' with { type: 'json' }
    import old from './lib/old.cjs'
    import * as paths from './lib/paths.ts'

    const atTop = await Promise.resolve('awaited at the top')
    enum Color { Red = 1 }

    export class TestFeatures extends TestCase {
      readonly #secret = 41
      accessor size = 3

      async test_imports() {
        this.assertEqual(limits.most, 5)
        this.assertEqual(old, { join: 'a/b', here: 'string' })
        this.assertEqual((await import('./lib/late.ts')).late, 'loaded when asked for')
        this.assertEqual(atTop, 'awaited at the top')
      }

      async test_files() {
        this.assertEqual(paths.read('users.csv'), 'ann,bob')
        this.assertEqual(paths.readByPath('users.csv'), 'ann,bob')
        this.assertEqual(await readFile('data/users.csv', 'utf8'), 'ann,bob')
      }

      @weight(2)
      async test_language() {
        this.assertEqual(Color.Red + this.#secret + this.size, 45)
        this.assertEqual(TestFeatures.name, 'TestFeatures')
        await using thing = { [Symbol.asyncDispose]: async () => this.incrCounter('disposed') }
        this.assertTrue(thing)
      }

      async test_environment() {
        this.assertEqual(process.env.STAGE, 'blue')
        this.assertEqual(process.env.TOKEN, 'hush')
        this.assertEqual(this.params.size, '3')
      }
    }`,
}
const args =
  'features --include-file data/** --users 2 --iterations 5 ' +
  '--env STAGE=blue --secret TOKEN=env:OUR_TOKEN --param size=3'

describe('what modules may do', () => {
  for (const where of ['', '--workers 0', '--agents 2']) {
    it(`is the same ${where === '' ? 'locally' : `with ${where}`}`, async () => {
      const { exitCode, stdout, summary } = await runCli(`${args} ${where}`.trim().split(' '), {
        files,
        env: { OUR_TOKEN: 'hush' },
      })
      assert.equal(exitCode, 0, stdout)
      assert.equal(summary!.tests.successes, 10)
      const counts = summary!.executions.map(({ test, successes }) => [test.split('.')[1]!, successes])
      assert.deepEqual(Object.fromEntries(counts), {
        test_environment: 2,
        test_files: 2,
        test_imports: 2,
        test_language: 4,
      })
      assert.equal(summary!.counters['disposed'], 4)
    })
  }
})
