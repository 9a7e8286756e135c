import { close, readFile as readDescriptor } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ProtocolError } from './errors.ts'
import { parseJoin } from './join.ts'
import type { Join } from './join.ts'
import { defaultStateDir } from './state-dir.ts'

/** How long `readJoin` waits for a file: a broker that starts at the same moment is still writing it. */
const waitMs = 5_000
const lookEveryMs = 50

/**
 * Reads what a user gave: a join string, or `@FILE` with one in it. `@/dev/fd/N` reads an inherited descriptor, once. A
 * relative FILE is looked up in the working
 * directory, then in the state directory; if it is in neither yet, for up to five seconds.
 *
 * @throws {ProtocolError} JOIN_NOT_FOUND, JOIN_INVALID.
 */
export async function readJoin(
  reference: string,
  options: { stateDir?: string; waitMs?: number } = {},
): Promise<Join> {
  if (!reference.startsWith('@')) return parseJoin(reference)
  const name = reference.slice(1)
  if (name === '') throw new ProtocolError('JOIN_INVALID', 'Write the name of a file after @: @agent.join')
  const descriptor = /^\/dev\/fd\/(\d+)$/.exec(name)?.[1]
  if (descriptor !== undefined) return readInherited(Number(descriptor))
  const stateDir = options.stateDir ?? defaultStateDir()
  const candidates = isAbsolute(name) ? [name] : [resolve(name), join(stateDir, name)]
  const deadline = performance.now() + (options.waitMs ?? waitMs)

  for (;;) {
    for (const file of candidates) {
      const text = await readIfThere(file)
      if (text !== null) return parseFile(file, text)
    }
    if (performance.now() >= deadline) break
    await delay(lookEveryMs)
  }
  throw new ProtocolError(
    'JOIN_NOT_FOUND',
    `No join file at ${candidates.join(' nor ')}. Start the broker first, or copy its join file here.`,
  )
}

/**
 * Reads a descriptor that the parent process gave, and closes it, so that no child of ours gets it. Read directly: what
 * Node calls a pipe is a socket, which cannot be opened through /dev/fd.
 */
async function readInherited(descriptor: number): Promise<Join> {
  let text: string
  try {
    text = await promisify(readDescriptor)(descriptor, 'utf8')
    await promisify(close)(descriptor)
  } catch (error) {
    throw unreadable(error)
  }
  return parseJoin(text)
}

function parseFile(file: string, text: string): Join {
  try {
    return parseJoin(text)
  } catch (error) {
    throw new ProtocolError('JOIN_INVALID', `${file}: ${(error as Error).message}`, { cause: error })
  }
}

/** Null for a file that is not there or has nothing in it yet. */
async function readIfThere(file: string): Promise<string | null> {
  try {
    const text = await readFile(file, 'utf8')
    if (text.trim() !== '') return text
    // A named pipe that ended empty will not be filled any more.
    return (await stat(file)).isFile() ? null : text
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw unreadable(error)
  }
}

function unreadable(error: unknown): ProtocolError {
  const text = `The join file cannot be read: ${(error as Error).message}`
  return new ProtocolError('JOIN_NOT_FOUND', text, { cause: error })
}
