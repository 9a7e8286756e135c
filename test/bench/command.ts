import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeFiles } from '../helpers/files.ts'

export const loadsRunner = fileURLToPath(
  new URL('../../packages/loads-runner/bin/loads-runner.js', import.meta.url),
)

/** True when the shell would find it; servers live in sbin, which is not on every path. */
export function findCommand(name: string): string | null {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']) {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return join(folder, name)
    } catch {
      continue
    }
  }
  return null
}

/** Runs a command to its end and returns its standard output; throws with all output when it fails. */
export async function runCommand(
  command: readonly string[],
  cwd: string,
  timeoutMs: number,
): Promise<string> {
  return (await runToEnd(command, cwd, timeoutMs)).stdout
}

export interface Measured {
  stdout: string
  /** Processor time of the command and all that it waited for, in seconds. */
  cpuSeconds: number
}

/** Runs a command on these processors (`1`, `0,1`) and measures what it took of them. */
export async function runPinned(
  processors: number | string,
  command: readonly string[],
  cwd: string,
  timeoutMs: number,
): Promise<Measured> {
  const script = `TIMEFORMAT='cpu-seconds %U %S'; time taskset -c ${processors} "$@"`
  const { stdout, stderr } = await runToEnd(['bash', '-c', script, 'bash', ...command], cwd, timeoutMs)
  const [, user, system] = /cpu-seconds ([\d.]+) ([\d.]+)/.exec(stderr)!
  return { stdout, cpuSeconds: Number(user) + Number(system) }
}

async function runToEnd(
  command: readonly string[],
  cwd: string,
  timeoutMs: number,
): Promise<{ stdout: string; stderr: string }> {
  const [program, ...args] = command
  const child = spawn(program!, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).finally(() => clearTimeout(timer))
  if (code !== 0) throw new Error(`${command.join(' ')}: exit code ${code}\n${output.stdout}${output.stderr}`)
  return output
}

/** Gives the work an own directory with these files, gone afterwards. */
export async function inDirectory(
  files: Readonly<Record<string, string>>,
  work: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'loads-bench-'))
  try {
    await writeFiles(directory, files)
    await work(directory)
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}
