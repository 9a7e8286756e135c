import { spawn } from 'node:child_process'
import type { Context } from 'mocha'
import { freePort } from './free-port.ts'
import { untilListening } from './listening.ts'
import { needs } from './needs.ts'
import { RealServer } from './real-server.ts'

/** A real memcached, empty. */
export class Memcached extends RealServer {
  static async start(test: Context): Promise<Memcached> {
    needs(test, 'memcached')
    const port = await freePort()
    const options = ['-l', '127.0.0.1', '-p', String(port), '-U', '0', '-m', '64', '-u', 'nobody']
    const child = spawn('memcached', options, { stdio: 'ignore' })
    await untilListening(child, port)
    return new Memcached(port, child)
  }
}
