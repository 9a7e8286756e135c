import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { writeFiles } from '../helpers/files.ts'
import { findCommand, runCommand } from './command.ts'

/** 100 bytes, as small answers of services are. */
const body = 'x'.repeat(100)

export interface Nginx {
  url: string
  stop(): Promise<void>
}

/** One worker of nginx with a fixed answer, the directory's `files/` and endless keep-alive, on one processor. */
export async function startNginx(
  directory: string,
  processor: number,
  scheme: 'http' | 'https' = 'http',
): Promise<Nginx> {
  const nginx = findCommand('nginx')
  if (nginx === null) throw new Error('this benchmark needs nginx: apt-get install nginx')
  const port = await freePort()
  if (scheme === 'https') await makeCertificate(directory)
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
          listen 127.0.0.1:${port} backlog=4096${scheme === 'https' ? ' ssl' : ''};
          ${scheme === 'https' ? 'ssl_certificate cert.pem; ssl_certificate_key key.pem;' : ''}
          location / { default_type text/plain; return 200 '${body}'; }
          location /files/ { root ${directory}; }
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
  const url = `${scheme}://127.0.0.1:${port}/`
  const stop = async () => {
    process.off('exit', kill)
    child.kill('SIGTERM')
    await closed
  }
  for (let attempt = 0; attempt < 100 && child.exitCode === null; attempt++) {
    if (await isOpen(port)) return { url, stop }
    await delay(20)
  }
  await stop()
  throw new Error('nginx did not answer within 2 seconds')
}

/** For localhost, by a key of its own. */
async function makeCertificate(directory: string): Promise<void> {
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const files = ['-keyout', 'key.pem', '-out', 'cert.pem', '-days', '2', '-subj', '/CN=localhost']
  await runCommand(['openssl', ...request, ...files], directory, 20_000)
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
