import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RunEvent } from '@loads-runner/protocol'
import { OutputHost } from '../../src/host.ts'
import { createWebhook } from '../../src/webhook/webhook-output.ts'
import { fixtureRun, fixtureSummary, namesOf, outputConformance, type Trouble } from '../../src/testing.ts'
import { playInto } from '../files/directory.ts'
import { enoughMs, environmentOf, quickTimes } from '../recording-output.ts'

interface Received {
  headers: IncomingHttpHeaders
  text: string
  body: {
    event: string
    at: string
    summary?: { hits: { count: number; failed: number } }
    [field: string]: unknown
  }
}

/** Takes what is posted to it, or behaves as it is told. */
class HookServer {
  readonly received: Received[] = []
  trouble: Trouble | null = null
  /** Statuses of the next answers; 200 then. */
  statuses: number[] = []
  readonly #server: Server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      if (this.trouble === 'hanging') return
      const status =
        this.trouble === 'broken' ? 503 : this.trouble === 'refusing' ? 403 : (this.statuses.shift() ?? 200)
      if (status === 200) {
        const text = Buffer.concat(parts).toString()
        this.received.push({ headers: request.headers, text, body: JSON.parse(text) as Received['body'] })
      }
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('because')
    })
  })

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook/s3cret`
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }
}

function eventsOf({ received }: HookServer): string[] {
  return received.map(({ body }) => body.event)
}

describe('webhook', () => {
  let server: HookServer
  let url: string
  beforeEach(async () => {
    server = new HookServer()
    url = await server.start()
  })
  afterEach(() => server.stop())

  outputConformance('webhook', {
    troubles: ['broken', 'hanging', 'refusing'],
    countsWarmUp: false,
    start: async () => ({
      output: createWebhook(url, environmentOf()),
      make: (trouble) => void (server.trouble = trouble),
      arrived: async () => {
        assert.deepEqual(eventsOf(server), ['start', 'fault', 'fault', 'threshold', 'stop'])
        const hits = server.received.at(-1)!.body.summary!.hits
        return {
          hits: hits.count,
          failed: hits.failed,
          times: server.received.slice(0, -1).map(({ body }) => Date.parse(body.at)),
          text: server.received.map(({ text }) => text).join('\n'),
        }
      },
    }),
  })

  it('tells who, when and what, signed', async () => {
    const env = { LOADS_WEBHOOK_SECRET: 'hush' }
    await playInto([createWebhook(`${url}?token=1&events=start,stop`, environmentOf({ env }))])
    assert.deepEqual(eventsOf(server), ['start', 'stop'])
    const [start, stop] = server.received
    const signature = createHmac('sha256', 'hush').update(start!.text).digest('hex')
    assert.equal(start!.headers['x-loads-signature-256'], `sha256=${signature}`)
    assert.equal(start!.headers['x-loads-event'], 'start')
    assert.notEqual(start!.headers['x-loads-delivery'], stop!.headers['x-loads-delivery'])
    assert.deepEqual(start!.body, {
      schema: 'loads.webhook/1',
      event: 'start',
      run: {
        id: 'fixture-run',
        names: ['shop.TestShop.test_buy'],
        project: 'shop',
        user: 'somebody@somewhere',
        labels: { region: 'eu' },
      },
      at: '2026-01-01T00:00:00.000Z',
      elapsedSeconds: 0,
      seed: 7,
      agents: 2,
    })
    const { verdict, exitCode, serviceTime } = fixtureSummary()
    const told = stop!.body.summary as unknown as Record<string, unknown>
    assert.deepEqual([told.verdict, told.exitCode, told.serviceTime], [verdict, exitCode, serviceTime])
  })

  it('tells of thresholds when they are crossed, not each time that they are looked at; of faults and lost agents', async () => {
    const crossed = (ok: boolean | null): RunEvent => ({
      type: 'thresholds',
      at: 0,
      elapsedMs: 1_000,
      states: [{ expression: 'errors: rate<0.1', value: 0.2, ok }],
    })
    const lost: RunEvent = {
      type: 'agent',
      at: 0,
      note: 'its lease is over',
      agent: {
        id: 'agent-2',
        incarnation: 'x',
        host: 'h',
        state: 'lost',
        activeUsers: 0,
        hits: 0,
        windows: 0,
        windowsMissing: 2,
      },
    }
    const [snapshot] = fixtureRun()
    const output = createWebhook(url, environmentOf())
    const host = new OutputHost({
      outputs: [output],
      environment: environmentOf(),
      onTrouble: () => {},
      times: quickTimes,
    })
    const states = [null, true, false, false, true, false].map(crossed)
    for (const event of [snapshot!, ...states, lost]) host.take(event)
    await host.finish(enoughMs)
    assert.deepEqual(eventsOf(server), ['threshold', 'threshold', 'agent-loss', 'stop'])
    assert.deepEqual(server.received[0]!.body.thresholds, [{ expression: 'errors: rate<0.1', value: 0.2 }])
    assert.deepEqual(
      [server.received[2]!.body.agent, server.received[2]!.body.note],
      ['agent-2', 'its lease is over'],
    )
    assert.equal(server.received[3]!.body.summary, null)
  })

  it('is the same delivery when it is sent again', async () => {
    server.statuses = [503, 429]
    await playInto([createWebhook(`${url}?events=fault`, environmentOf())])
    assert.deepEqual(eventsOf(server), ['fault', 'fault'])
    const fault = server.received[0]!.body.fault as { name: string; state: string }
    assert.deepEqual([fault.name, fault.state], [namesOf('plain').fault, 'begins'])
  })

  it('follows no redirect, shows no secret part of its address, and stops', async () => {
    server.statuses = [302]
    const { said } = await playInto([createWebhook(url, environmentOf())])
    assert.match(said[0]!, /refused: .*status 302.*redirects are not followed/)
    assert.equal(server.received.length, 0)
    assert.ok(!said.join('\n').includes('s3cret'))
  })

  it('goes on where one message is not taken', async () => {
    server.statuses = [422]
    const here = environmentOf()
    await playInto([createWebhook(url, here)])
    assert.equal(server.received.length, 4)
    assert.match(here.lines.join('\n'), /start was not taken: .*status 422: because/)
  })

  it('refuses arguments that mean nothing', () => {
    for (const args of ['', 'ftp://x/', 'localhost:80', `${url}?events=begin`, `${url}?events=`])
      assert.throws(() => createWebhook(args, environmentOf()), { code: 'OUTPUT_ARGUMENTS' })
  })
})
