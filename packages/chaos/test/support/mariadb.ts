import { execFile, spawn } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Context } from 'mocha'
import { freePort } from './free-port.ts'
import { untilListening } from './listening.ts'
import { needs } from './needs.ts'
import { RealServer } from './real-server.ts'

/** A real MariaDB with an empty database `test`, for `root` without a password. */
export class MariaDb extends RealServer {
  static async start(test: Context, options: readonly string[] = []): Promise<MariaDb> {
    needs(test, 'mariadbd')
    needs(test, 'mariadb-install-db')
    const directory = await mkdtemp(join(tmpdir(), 'mariadb-'))
    const user = `--user=${userInfo().username}`
    const data = `--datadir=${directory}`
    await promisify(execFile)('mariadb-install-db', [
      '--no-defaults',
      data,
      user,
      '--auth-root-authentication-method=normal',
    ])
    const port = await freePort()
    const place = [`--port=${port}`, '--bind-address=127.0.0.1', `--socket=${join(directory, 'socket')}`]
    const small = ['--innodb-buffer-pool-size=32M', '--innodb-flush-log-at-trx-commit=0', '--local-infile=1']
    const patient = ['--connect-timeout=60']
    const usual = ['--no-defaults', data, user, ...place, ...small, ...patient, '--max-allowed-packet=64M']
    const child = spawn('mariadbd', [...usual, ...options], { stdio: 'ignore' })
    await untilListening(child, port)
    return new MariaDb(port, child, directory)
  }
}
