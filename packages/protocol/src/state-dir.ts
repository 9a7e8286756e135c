import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, unlink } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Role } from './channel.ts'
import { codec } from './codec.ts'
import { ProtocolError } from './errors.ts'
import { formatJoin } from './join.ts'
import { brokerKeysSchema, createKeys } from './keys.ts'
import type { BrokerKeys } from './keys.ts'

const keysFile = 'broker.keys'

/** Where a broker keeps its keys, join files and journal unless told otherwise. */
export function defaultStateDir(): string {
  if (process.getuid?.() === 0) return '/var/lib/loads'
  const base = process.env['XDG_STATE_HOME']
  return join(base ? base : join(homedir(), '.local', 'state'), 'loads')
}

/**
 * The keys in `broker.keys` of the state directory, made at the first call. Two brokers that start at once get the
 * same keys.
 *
 * @throws {ProtocolError} KEYS_INVALID when the file is damaged, KEYS_UNAVAILABLE when the directory cannot be used.
 */
export function loadOrCreateKeys(stateDir: string): Promise<BrokerKeys> {
  return inStateDir(stateDir, () => findOrCreateKeys(stateDir))
}

async function findOrCreateKeys(stateDir: string): Promise<BrokerKeys> {
  const file = join(stateDir, keysFile)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text !== null) return parseKeys(file, text)

  await mkdir(stateDir, { recursive: true, mode: 0o700 })
  const keys = createKeys()
  const temporary = await writePrivate(stateDir, keysFile, `${JSON.stringify(keys, null, 2)}\n`)
  try {
    // A link never replaces a file, so the first of two brokers wins and the other one reads.
    await link(temporary, file)
    return keys
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return parseKeys(file, await readFile(file, 'utf8'))
  } finally {
    await unlink(temporary)
  }
}

/**
 * Writes `agent.join` and `operator.join`, readable by the owner only, and returns their paths.
 *
 * @throws {ProtocolError} JOIN_INVALID when `advertise` cannot be dialed, KEYS_UNAVAILABLE when the directory cannot be
 * used.
 */
export function writeJoinFiles(
  stateDir: string,
  keys: BrokerKeys,
  advertise: string,
): Promise<Record<Role, string>> {
  const write = async (role: Role) => {
    const file = join(stateDir, `${role}.join`)
    const temporary = await writePrivate(stateDir, `${role}.join`, `${formatJoin(keys, role, advertise)}\n`)
    await rename(temporary, file)
    return file
  }
  return inStateDir(stateDir, async () => {
    await mkdir(stateDir, { recursive: true, mode: 0o700 })
    return { agent: await write('agent'), operator: await write('operator') }
  })
}

/** Errors of the system name the directory and what to do. */
async function inStateDir<T>(stateDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ProtocolError) throw error
    const text = `The state directory ${stateDir} cannot be used: ${(error as Error).message}. Choose another with --state-dir.`
    throw new ProtocolError('KEYS_UNAVAILABLE', text, { cause: error })
  }
}

/** A new file beside its final place, complete and on disk. */
async function writePrivate(dir: string, name: string, text: string): Promise<string> {
  const file = join(dir, `.${name}.${randomBytes(6).toString('hex')}`)
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return file
}

function parseKeys(file: string, text: string): BrokerKeys {
  try {
    return codec.validate(brokerKeysSchema, JSON.parse(text))
  } catch {
    throw new ProtocolError(
      'KEYS_INVALID',
      `${file} is damaged. Restore it, or delete it to get new keys: every join file then has to be handed out again.`,
    )
  }
}
