import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { assertNoneLeft, descendantsOf, processesMarked } from './helpers/processes.ts'
import { runCli, startCli } from './helpers/run-cli.ts'
import { temporaryDirectory } from './helpers/temporary.ts'

/** The harness that all stories trust: it must notice what it is there for. */
describe('the story harness', function () {
  async function program(source: string): Promise<string> {
    return join(await temporaryDirectory({ 'program.mjs': source }), 'program.mjs')
  }

  it('returns exit code, output and files', async () => {
    const script = await program(`
      import { readFileSync } from 'node:fs'
      process.stdout.write(readFileSync('a/b.txt', 'utf8') + process.argv[2])
      process.stderr.write(String(process.env.LOADS_USERS))
      process.exit(5)`)
    const run = await runCli(['x'], { script, files: { 'a/b.txt': 'hello ' } })
    assert.deepEqual(
      [run.exitCode, run.signal, run.stdout, run.stderr, run.summary],
      [5, null, 'hello x', 'undefined', null],
    )
  })

  it('kills what takes too long, and shows its output', async () => {
    // A shell has said it long before its time is over, however long Node takes to start.
    const at = () => ({ command: 'sh', args: ['-c', 'echo on and on; exec sleep 60'] })
    const run = await startCli([], { at, json: false, timeoutMs: 5_000 })
    await run.waitForLine(/on and on/)
    await assert.rejects(run.result, { message: /did not end within 5000 ms[^]*on and on/ })
    await assertNoneLeft(run.mark)
  })

  it('notices a process that is left behind, in a group of its own too', async function () {
    if (process.platform !== 'linux') this.skip()
    const script = await program(`
      import { spawn } from 'node:child_process'
      const child = spawn('sleep', ['60'], { stdio: 'ignore', detached: true })
      child.unref()
      process.stdin.resume().on('end', () => process.exit(0))
      console.log('ready')`)
    const run = await startCli([], { script, input: 'open', outliveMs: 1_000 })
    await run.waitForLine(/ready/)
    assert.deepEqual(
      descendantsOf(run.pid).map(({ command }) => command),
      ['sleep 60'],
    )
    assert.equal(processesMarked(run.mark).length, 2)
    run.closeInput()
    await assert.rejects(run.result, { message: /still running after 1000 ms:\n.*sleep 60/ })
    await run.destroy()
    assert.deepEqual(processesMarked(run.mark), [])
  })

  it('does not wait for a line that can no longer come', async () => {
    const script = await program(`console.log('first')`)
    const run = await startCli([], { script })
    await assert.rejects(run.waitForLine(/second/), {
      message: /no line like \/second\/ before it ended[^]*first/,
    })
    await assert.rejects(run.waitForLine(/third/), { message: /before it ended/ })
    assert.equal((await run.waitForLine(/f(i)rst/))[1], 'i')
  })

  it('takes the beginning of a line for no line', async () => {
    const script = await program(`
      process.stdout.write('port 12')
      process.stdin.once('data', () => process.stdout.write('345\\n', () => process.exit(0)))`)
    const run = await startCli([], { script, input: 'open' })
    while (run.stdout === '') await delay(10)
    const line = run.waitForLine(/port (\d+)/)
    run.write('go on')
    assert.equal((await line)[1], '12345')
  })

  it('sends a signal after a line', async () => {
    const script = await program(`setInterval(() => console.log('tick'), 20)`)
    const run = await runCli([], { script, signalAfter: { line: /tick/, signal: 'SIGTERM' } })
    assert.deepEqual([run.exitCode, run.signal], [143, 'SIGTERM'])
  })
})
