import assert from 'node:assert/strict'
import type { CliResult } from './run-cli.ts'

/**
 * A run with a rate went as planned: nothing failed. On a machine that is busy with other tests it may say of itself
 * that the generator was the limit (6), as it should.
 */
export function assertWentToPlan({ exitCode, stdout, stderr }: CliResult): void {
  assert.ok(exitCode === 0 || exitCode === 6, `exit code ${exitCode}\n${stdout}${stderr}`)
}
