import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from './helpers/temporary.ts'

const script = fileURLToPath(new URL('../.ci/run', import.meta.url))

describe('.ci/run', function () {
  /** Runs it with an npm that only prints and ends. */
  async function runWith(output: string, exitCode: number) {
    const directory = await temporaryDirectory({
      npm: `#!/bin/sh\ncat <<'END'\n${output}\nEND\nexit ${exitCode}\n`,
    })
    await chmod(join(directory, 'npm'), 0o755)
    const env = { ...process.env, PATH: `${directory}:${process.env.PATH}` }
    const { status, stdout } = spawnSync(script, { env, encoding: 'utf8', timeout: 20_000 })
    return { status, lines: stdout.trimEnd().split('\n') }
  }

  it('counts what mocha counted, and ends with the code of npm test', async () => {
    const colored = '  \u001b[92m 12 passing\u001b[0m \u001b[90m(3s)\u001b[0m\n  2 pending\n  1 failing'
    const failed = await runWith(`    ✔ 5 passing trains\n${colored}\n\n  1) 7 failing brakes`, 1)
    assert.equal(failed.lines.at(-1), '12 passed, 1 failed, 2 skipped')
    assert.equal(failed.status, 1)
    const passed = await runWith('  3 passing (2m)', 0)
    assert.equal(passed.lines.at(-1), '3 passed, 0 failed')
    assert.equal(passed.status, 0)
  })

  it('does not pass when no test ran', async () => {
    const broken = await runWith('error TS2307: cannot find it', 2)
    assert.deepEqual(broken.lines.slice(-2), [
      'The tests did not run: npm test ended with code 2 before them (see above).',
      '0 passed, 0 failed',
    ])
    assert.equal(broken.status, 2)
    const empty = await runWith('nothing to do', 0)
    assert.equal(empty.lines.at(-1), '0 passed, 0 failed')
    assert.equal(empty.status, 1)
  })
})
