import assert from 'node:assert/strict'
import type { OwnServer } from './own-server.ts'
import { runCli, startCli, type CliOptions, type CliResult, type RunningCli } from './run-cli.ts'

/** Starts `loads-proxy` with its control API on any port. */
export function startProxy(args: readonly string[], options: CliOptions = {}): Promise<RunningCli> {
  return startCli(['--http-port', '0', ...args], { binary: 'loads-proxy', ...options })
}

/** Runs `loads-proxy` to its end. */
export function runProxy(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return runCli(args, { binary: 'loads-proxy', ...options })
}

/** Where a proxy listens, as it has said. */
export async function listenOf(cli: RunningCli, name = 'proxy'): Promise<string> {
  return (await cli.waitForLine(new RegExp(`^proxy ${name}: (\\S+) -> `)))[1]!
}

export async function controlOf(cli: RunningCli): Promise<string> {
  return (await cli.waitForLine(/^control API at (http:\S+?)(,|$)/))[1]!
}

/** @returns what it has printed */
export async function endProxy(cli: RunningCli): Promise<string> {
  cli.kill('SIGTERM')
  const { exitCode, stdout } = await cli.result
  assert.equal(exitCode, 0)
  return stdout
}

export function hostOf(server: OwnServer): string {
  return new URL(server.url).host
}

export async function statusOf(address: string, path = '/'): Promise<number> {
  return (await fetch(`http://${address}${path}`)).status
}
