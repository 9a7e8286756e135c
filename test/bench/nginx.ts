import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { writeFiles } from '../helpers/files.ts'
import { findCommand } from './command.ts'

/** 100 bytes, as small answers of services are. */
const body = 'x'.repeat(100)

export interface Nginx {
  url: string
  stop(): Promise<void>
}

/** One worker of nginx with a fixed answer and endless keep-alive, on one processor. */
export async function startNginx(directory: string, processor: number): Promise<Nginx> {
  const nginx = findCommand('nginx')
  if (nginx === null) throw new Error('this benchmark needs nginx: apt-get install nginx')
  const port = await freePort()
  await writeFiles(directory, {
    'nginx.conf': `
      daemon off;
      master_process off;
      worker_processes 1;
      pid ${directory}/nginx.pid;
      error_log stderr crit;
      events { worker_connections 4096; }
      http {
        access_log off;
        keepalive_requests 1000000000;
        keepalive_timeout 600s;
        client_body_temp_path ${directory}/body;
        proxy_temp_path ${directory}/proxy;
        fastcgi_temp_path ${directory}/fastcgi;
        uwsgi_temp_path ${directory}/uwsgi;
        scgi_temp_path ${directory}/scgi;
        server {
          listen 127.0.0.1:${port} backlog=4096;
          location / { default_type text/plain; return 200 '${body}'; }
        }
      }`,
  })
  const command = [
    '-c',
    String(processor),
    nginx,
    '-p',
    directory,
    '-e',
    'stderr',
    '-c',
    `${directory}/nginx.conf`,
  ]
  const child = spawn('taskset', command, { stdio: ['ignore', 'ignore', 'inherit'] })
  const closed = once(child, 'close')
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const url = `http://127.0.0.1:${port}/`
  const stop = async () => {
    process.off('exit', kill)
    child.kill('SIGTERM')
    await closed
  }
  for (let attempt = 0; attempt < 100 && child.exitCode === null; attempt++) {
    const answer = await fetch(url).catch(() => null)
    if (answer !== null && (await answer.text()) === body) return { url, stop }
    await delay(20)
  }
  await stop()
  throw new Error('nginx did not answer within 2 seconds')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
