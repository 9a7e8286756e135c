import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import type { Context } from 'mocha'

const places = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/sbin']

/** Skips a test, loudly, when a program that it needs is not there; on CI that is a failure. */
export function needs(test: Context, program: string): void {
  if (!places.some((place) => isProgram(join(place, program)))) cannot(test, `${program} is not installed`)
}

export function cannot(test: Context, reason: string): never {
  if (process.env['CI'] !== undefined) throw new Error(reason)
  console.warn(`      NOT TESTED: ${reason}`)
  test.skip()
  throw new Error('skipped')
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
