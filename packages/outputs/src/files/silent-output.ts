import { OutputError } from '../errors.ts'
import type { Output } from '../output.ts'

/** `null`: takes nothing, so that what outputs cost can be measured. */
export function createNull(args: string): Output {
  return silent('null', args)
}

/** `stdout`: the console prints by itself; this stands for it where outputs are listed. */
export function createStdout(args: string): Output {
  return silent('stdout', args)
}

function silent(name: string, args: string): Output {
  if (args !== '')
    throw new OutputError('OUTPUT_ARGUMENTS', `output ${name} takes no arguments, not "${args}"`)
  return {
    name,
    wants: new Set(),
    spansMs: [],
    batch: 1,
    open: async () => {},
    write: async () => {},
    close: async () => {},
  }
}
