import { spawn } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { freePort } from './free-port.ts'
import { untilListening } from './listening.ts'
import { needs } from './needs.ts'
import { RealServer } from './real-server.ts'

/** A real Redis, empty, that keeps nothing. */
export class RedisServer extends RealServer {
  static async start(test: Context, options: readonly string[] = []): Promise<RedisServer> {
    needs(test, 'redis-server')
    const directory = await mkdtemp(join(tmpdir(), 'redis-'))
    const port = await freePort()
    const usual = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory]
    const child = spawn('redis-server', [...usual, ...options], { stdio: 'ignore' })
    await untilListening(child, port)
    return new RedisServer(port, child, directory)
  }
}
