import { execFile, execFileSync, spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { chmod, chown, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Context } from 'mocha'
import { freePort } from './free-port.ts'
import { untilListening } from './listening.ts'
import { cannot } from './needs.ts'
import { RealServer } from './real-server.ts'

/** A real Postgres, empty, for the user `tester` with the password `secret` (SCRAM), or trusted. */
export class Postgres extends RealServer {
  static async start(test: Context, options: readonly string[] = []): Promise<Postgres> {
    const programs = programsDirectory() ?? cannot(test, 'postgres is not installed')
    const owner: { uid?: number; gid?: number } = process.getuid?.() === 0 ? ids('postgres') : {}
    const directory = await mkdtemp(join(tmpdir(), 'postgres-'))
    await chmod(directory, 0o755)
    if (owner.uid !== undefined) await chown(directory, owner.uid, owner.gid!)
    const data = join(directory, 'data')
    const environment = { cwd: directory, ...owner }
    const passwords = join(directory, 'password')
    await promisify(execFile)('sh', ['-c', `printf secret > ${passwords}`], environment)
    const cluster = ['-D', data, '-U', 'tester', '--auth=scram-sha-256', `--pwfile=${passwords}`, '--no-sync']
    await promisify(execFile)(join(programs, 'initdb'), cluster, environment)
    const port = await freePort()
    const place = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', directory]
    const quick = ['-c', 'fsync=off', '-c', 'shared_buffers=16MB']
    const child = spawn(join(programs, 'postgres'), [...place, ...quick, ...options], {
      stdio: 'ignore',
      ...environment,
    })
    await untilListening(child, port)
    await untilReady(programs, port)
    return new Postgres(port, child, directory)
  }

  /** Connections that wait for nobody: at once. */
}

/** The server takes connections before it takes logins. */
async function untilReady(programs: string, port: number): Promise<void> {
  // However long it takes.
  const asked = ['-h', '127.0.0.1', '-p', String(port), '-t', '0']
  const isReady = (): Promise<boolean> =>
    promisify(execFile)(join(programs, 'pg_isready'), asked).then(
      () => true,
      ({ code }: { code: number }) => {
        // 1: not yet; 2: nobody there.
        if (code !== 1) throw new Error(`pg_isready says ${code}`)
        return false
      },
    )
  while (!(await isReady()));
}

/** Debian keeps servers of several versions side by side; the latest will do. */
function programsDirectory(): string | undefined {
  const root = '/usr/lib/postgresql'
  try {
    const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a))
    return versions[0] === undefined ? undefined : join(root, versions[0], 'bin')
  } catch {
    return undefined
  }
}

/** The server refuses to run as root. */
function ids(user: string): { uid: number; gid: number } {
  const id = (kind: string): number => Number(execFileSync('id', [kind, user], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
