import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Context } from 'mocha'
import { cannot, needs } from './needs.ts'
import { RealServer } from './real-server.ts'

/** Debian's own Python has Debian's packages. */
const python = '/usr/bin/python3'

const program = `
import asyncio, json, sys
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

class Handler:
    async def handle_DATA(self, server, session, envelope):
        told = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "content": envelope.content.decode("latin1")}
        print(json.dumps(told), flush=True)
        return "250 2.0.0 taken"

def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"user" and data.password == b"secret")

controller = Controller(Handler(), hostname="127.0.0.1", port=int(sys.argv[1]), authenticator=authenticate,
    auth_require_tls=False, data_size_limit=64 * 1024 * 1024, ready_timeout=60)
controller.start()
print(json.dumps({"ready": True}), flush=True)
sys.stdin.read()
controller.stop()
`

export interface ReceivedMail {
  from: string
  to: string[]
  content: string
}

/** A real SMTP server (aiosmtpd) that tells what it was sent; user `user`, password `secret`. */
export class SmtpServer extends RealServer {
  readonly mails: ReceivedMail[] = []

  static async start(test: Context, port: number): Promise<SmtpServer> {
    needs(test, 'python3')
    const child = spawn(python, ['-c', program, String(port)], { stdio: ['pipe', 'pipe', 'ignore'] })
    const server = new SmtpServer(port, child)
    const lines = createInterface({ input: child.stdout })
    const ready = Promise.race([once(lines, 'line'), once(child, 'exit')])
    lines.on('line', (line) => {
      const told = JSON.parse(line) as ReceivedMail
      if ('from' in told) server.mails.push(told)
    })
    await ready
    if (child.exitCode !== null) cannot(test, 'aiosmtpd is not installed for /usr/bin/python3')
    return server
  }
}
