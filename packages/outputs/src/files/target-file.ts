import { access, constants, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { OutputEnvironment } from '../environment.ts'
import { messageOf, OutputError } from '../errors.ts'

/**
 * The file that an output writes, as an absolute path.
 *
 * @throws {OutputError} OUTPUT_ARGUMENTS without a name
 */
export function targetFile(output: string, args: string, { cwd }: OutputEnvironment): string {
  if (args.trim() === '' || args === '-')
    throw new OutputError('OUTPUT_ARGUMENTS', `output ${output} needs a file: ${output}:FILE`)
  return resolve(cwd, args)
}

/**
 * Could this file be written as things stand? Writes nothing.
 *
 * @throws {OutputError} OUTPUT_ARGUMENTS
 */
export async function checkFile(output: string, file: string): Promise<void> {
  const there = await stat(file).catch(() => null)
  if (there?.isDirectory() === true) throw unfit(output, file, 'it is a directory; name a file in it')
  const above = dirname(file)
  const around = await stat(above).catch(() => null)
  if (around === null) throw unfit(output, file, `there is no directory ${above}; create it first`)
  if (!around.isDirectory()) throw unfit(output, file, `${above} is not a directory`)
  try {
    await access(there === null ? above : file, constants.W_OK)
  } catch (error) {
    throw unfit(output, file, messageOf(error))
  }
}

function unfit(output: string, file: string, why: string): OutputError {
  return new OutputError('OUTPUT_ARGUMENTS', `output ${output} cannot write ${file}: ${why}`)
}
