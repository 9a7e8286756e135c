import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startCli } from './run-cli.ts'
import type { BinaryName, CliResult } from './run-cli.ts'
import { temporaryDirectory } from './temporary.ts'

const binaries = fileURLToPath(new URL('../../packages/loads-runner/bin', import.meta.url))

/**
 * The program `script` gives its child a terminal, and passes on what is typed and what is shown. Only on Linux.
 * Its child is a shell that becomes the command (`exec`): Ctrl-C goes to all of a terminal, and some shells, having
 * waited for a command that outlived it, end with 130 instead of the command's own exit code.
 */
const terminalProgram = `
  import { spawn } from 'node:child_process'
  const command = 'exec ' + process.argv.slice(2).map((word) => "'" + word + "'").join(' ')
  const child = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], { stdio: 'inherit' })
  child.on('exit', (code) => process.exit(code ?? 1))
`

export interface Terminal {
  /** As if at the keyboard: Ctrl-C is `\u0003`, Enter is `\r`. */
  type(text: string): void
  /** Waits until what is shown matches. */
  shows(text: RegExp, withinMs?: number): Promise<RegExpExecArray>
  readonly result: Promise<CliResult>
}

/** Starts `loads-runner`, or another program of ours, at a terminal. */
export async function startInTerminal(
  args: readonly string[],
  cwd: string,
  binary: BinaryName = 'loads-runner',
): Promise<Terminal> {
  const script = join(await temporaryDirectory({ 'terminal.mjs': terminalProgram }), 'terminal.mjs')
  const cli = await startCli([process.execPath, join(binaries, `${binary}.js`), ...args], {
    script,
    cwd,
    input: 'open',
  })
  return {
    type: (text) => cli.write(text),
    async shows(text, withinMs = 20_000) {
      const deadline = performance.now() + withinMs
      for (;;) {
        const match = text.exec(cli.stdout)
        if (match !== null) return match
        assert.ok(performance.now() < deadline, `no ${text} at the terminal:\n${cli.stdout.slice(-2_000)}`)
        await delay(20)
      }
    },
    result: cli.result,
  }
}
