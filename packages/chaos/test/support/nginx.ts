import { spawn } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { freePort } from './free-port.ts'
import { untilListening } from './listening.ts'
import { needs } from './needs.ts'
import { RealServer } from './real-server.ts'

/** A real web server. */
export class Nginx extends RealServer {
  /** @param server what stands in the block `server`, where $PORT is the port */
  static async start(test: Context, server: string): Promise<Nginx> {
    needs(test, 'nginx')
    const directory = await mkdtemp(join(tmpdir(), 'nginx-'))
    const port = await freePort()
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    const temporary = paths.map((each) => `${each}_temp_path ${directory}/${each};`).join('\n')
    await writeFile(
      join(directory, 'nginx.conf'),
      `daemon off; master_process off; pid ${directory}/pid; error_log ${directory}/error.log;
      events { worker_connections 512; }
      http { access_log off; ${temporary} default_type text/plain; keepalive_requests 100000;
        server { ${server.replaceAll('$PORT', String(port))} } }`,
    )
    const child = spawn('nginx', ['-p', directory, '-c', join(directory, 'nginx.conf')], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    await untilListening(child, port)
    return new Nginx(port, child, directory)
  }
}
