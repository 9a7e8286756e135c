import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Socket } from 'node:net'

import { createTransport, type SendMailOptions } from 'nodemailer'

import { freePort } from '../support/free-port.ts'
import { Peer } from '../support/peer.ts'
import { SmtpServer } from '../support/smtp-server.ts'
import { WatchedProxy } from '../support/watched-proxy.ts'

interface MailError extends Error {
  code: string
  command: string
  responseCode: number
  response: string
}

const mail = { from: 'a@example.com', to: 'b@example.com', subject: 'hello', text: 'a line\n.\n..two dots\n' }

describe('smtp', function () {
  let server: SmtpServer
  let proxy: WatchedProxy
  /** One connection, used again for each message. */
  let transport: ReturnType<typeof open>

  before(async function () {
    server = await SmtpServer.start(this, await freePort())
  })

  after(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  beforeEach(async () => {
    server.mails.length = 0
    proxy = await WatchedProxy.start({ backend: server.address, protocol: 'smtp' })
    transport = open(proxy.port)
  })

  afterEach(async () => {
    transport.close()
    await proxy[Symbol.asyncDispose]()
  })

  it('#25 smtp: the client sees the intended error and nothing else, and its connection goes on', async () => {
    await transport.sendMail(mail)
    const cases = [
      ['450', 'MAIL', 'MAIL FROM', /^450 4\.2\.1 /],
      ['451', 'MAIL', 'MAIL FROM', /^451 4\.3\.0 /],
      ['452', 'RCPT', 'RCPT TO', /^452 4\.3\.1 /],
      ['550', 'RCPT', 'RCPT TO', /^550 5\.1\.1 /],
      ['552', 'MAIL', 'MAIL FROM', /^552 5\.2\.2 /],
      ['554', 'DATA', 'DATA', /^554 5\.3\.0 /],
      ['451 mind the gap', 'DATA', 'DATA', /^451 mind the gap$/],
    ] as const
    for (const [status, verb, command, response] of cases) {
      proxy.set({ type: 'error', attributes: { statuses: [status], match: { verb } } })
      const error = await failure(transport.sendMail(mail))
      assert.equal(error.responseCode, Number(status.slice(0, 3)), error.stack)
      assert.equal(error.command, command)
      assert.match(error.response ?? error.message, response)
      assert.deepEqual(
        proxy.faults.map(({ request, detail }) => ({ request, detail })),
        [{ request: verb, detail: { status: Number(status.slice(0, 3)) } }],
      )
      proxy.set()
      await transport.sendMail(mail)
    }
    assert.equal(server.mails.length, 1 + cases.length)
  })

  it('#25 smtp: 421 comes in place of the greeting, or at any stage, and closes', async () => {
    proxy.set({ type: 'error', attributes: { statuses: '421' } })
    const error = await failure(transport.sendMail(mail))
    assert.equal(error.responseCode, 421)
    assert.deepEqual(
      proxy.faults.map(({ request }) => request),
      ['CONNECT'],
    )
    proxy.set()
    const peer = await Peer.connect(proxy.proxy.address)
    await line(peer, 1)
    peer.write('EHLO here\r\n')
    await once(peer.socket, 'data')
    proxy.set({ type: 'error', attributes: { statuses: '421', match: { verb: 'NOOP' } } })
    peer.write('NOOP\r\nNOOP\r\n')
    assert.equal(await peer.ended(), 'end')
    assert.match(peer.text, /\r\n421 4\.3\.2 Service not available[^\r\n]*\r\n$/)
    assert.equal(proxy.faults.length, 1)
  })

  it('#25 smtp: an error instead of a message closes, and the message is not delivered', async () => {
    proxy.set({ type: 'error', attributes: { statuses: '452', match: { verb: 'BODY' } } })
    const error = await failure(transport.sendMail(mail))
    assert.equal(error.responseCode, 452)
    assert.deepEqual(
      proxy.faults.map(({ request }) => request),
      ['BODY'],
    )
    proxy.set()
    await transport.sendMail(mail)
    assert.equal(server.mails.length, 1)
  })

  it('has a message delivered of which the client does not learn', async () => {
    proxy.set({ type: 'error', attributes: { statuses: '451', when: 'after', match: { verb: 'BODY' } } })
    assert.equal((await failure(transport.sendMail(mail))).responseCode, 451)
    proxy.set()
    await transport.sendMail(mail)
    assert.equal(server.mails.length, 2)
    assert.equal(accepted(proxy), 1)
  })

  it('errors without a match come where servers say them', async () => {
    proxy.set({ type: 'error', attributes: { statuses: '552,450' } })
    const error = await failure(transport.sendMail(mail))
    assert.equal(error.command, 'MAIL FROM')
    assert.deepEqual(new Set(proxy.faults.map(({ request }) => request)), new Set(['MAIL']))
  })

  it('never tells credentials', async () => {
    const login = { user: 'user', pass: 'secret' }
    for (const method of ['PLAIN', 'LOGIN']) {
      const authenticated = open(proxy.port, { auth: login, authMethod: method })
      proxy.set({ type: 'delay', attributes: { sleep: '1ms' } })
      await authenticated.sendMail(mail)
      authenticated.close()
      const told = JSON.stringify(proxy.events)
      for (const secret of ['secret', 'c2VjcmV0', 'dXNlcg', Buffer.from('\0user\0secret').toString('base64')])
        assert.ok(!told.includes(secret), `${method} tells ${secret}`)
      const requests = proxy.faults.map(({ request }) => request)
      assert.equal(requests.filter((request) => request === 'AUTH').length, method === 'PLAIN' ? 1 : 3)
    }
    proxy.set({ type: 'error', attributes: { statuses: '535' } })
    const refused = open(proxy.port, { auth: login })
    assert.equal((await failure(refused.sendMail(mail))).responseCode, 535)
    refused.close()
  })

  it('hangs after DATA', async () => {
    proxy.set({ type: 'hang', attributes: { match: { verb: 'BODY' } } })
    const socket = new Socket()
    const impatient = open(proxy.port, { socket })
    const failing = failure(impatient.sendMail(mail))
    while (proxy.faults.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    // Its patience is that of its socket. Until now it has all that it needs.
    socket.setTimeout(300)
    const error = await failing
    assert.equal(error.code, 'ETIMEDOUT')
    assert.deepEqual(
      proxy.faults.map(({ request }) => request),
      ['BODY'],
    )
    impatient.close()
  })

  it('#25 smtp: messages of every kind pass unharmed without rules', async () => {
    const long = 'a line of a long message.\n'.repeat(200_000)
    const mails: SendMailOptions[] = [
      mail,
      { ...mail, text: long },
      { ...mail, text: '' },
      { ...mail, to: ['b@example.com', 'c@example.com', 'd@example.com'] },
      { ...mail, attachments: [{ filename: 'a.bin', content: Buffer.alloc(300_000, 7) }] },
    ]
    for (const each of mails) await transport.sendMail(each)
    assert.equal(server.mails.length, mails.length)
    assert.equal(server.mails[0]!.content.split('\r\n\r\n')[1], 'a line\r\n.\r\n..two dots\r\n')
    assert.equal(server.mails[1]!.content.split('\r\n\r\n')[1], long.replaceAll('\n', '\r\n'))
    assert.deepEqual(server.mails[3]!.to, ['b@example.com', 'c@example.com', 'd@example.com'])
    assert.equal(accepted(proxy), 1)
    assert.deepEqual(
      proxy.events.filter(({ type }) => type === 'opaque' || type === 'fault'),
      [],
    )
  })

  it('keeps the order of replies to commands that were sent at once', async () => {
    proxy.set({ type: 'error', attributes: { statuses: '450', match: { verb: 'RCPT', text: '*refused*' } } })
    const peer = await Peer.connect(proxy.proxy.address)
    await line(peer, 1)
    const addresses = Array.from({ length: 50 }, (_, at) => (at % 3 === 0 ? `refused${at}` : `taken${at}`))
    const recipients = addresses.map((each) => `RCPT TO:<${each}@example.com>\r\n`).join('')
    peer.write(`HELO here\r\nMAIL FROM:<a@example.com>\r\n${recipients}DATA\r\n`)
    await line(peer, 1 + 2 + 50 + 1)
    peer.write('subject: x\r\n\r\n.\r\nQUIT\r\n')
    await peer.ended()
    peer.socket.destroy()
    const codes = peer.text
      .trimEnd()
      .split('\r\n')
      .map((each) => each.slice(0, 3))
    const wanted = addresses.map((each) => (each.startsWith('refused') ? '450' : '250'))
    assert.deepEqual(codes, ['220', '250', '250', ...wanted, '354', '250', '221'])
    assert.deepEqual(
      server.mails[0]!.to,
      addresses.filter((each) => each.startsWith('taken')).map((each) => `${each}@example.com`),
    )
  })
})

function open(port: number, options: object = {}) {
  return createTransport({
    host: '127.0.0.1',
    port,
    pool: true,
    maxConnections: 1,
    ignoreTLS: true,
    ...options,
  })
}

async function failure(doing: Promise<unknown>): Promise<MailError> {
  return doing.then(
    () => assert.fail('no error'),
    (error: MailError) => error,
  )
}

function accepted(proxy: WatchedProxy): number {
  return proxy.proxy.counters().accepted
}

/** So many lines have come. */
async function line(peer: Peer, count: number): Promise<void> {
  while (peer.text.split('\r\n').length <= count) await once(peer.socket, 'data')
}
