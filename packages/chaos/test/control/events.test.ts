import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { ChaosEvent } from '../../src/events/event.ts'
import { Control } from '../support/control.ts'
import { EchoServer } from '../support/echo-server.ts'
import { TcpTalk } from '../support/talk.ts'

/** Reads a stream of events line by line. */
class Lines implements AsyncDisposable {
  readonly response: IncomingMessage
  #lines: string[] = []
  #rest = ''
  #over = false
  #wake: () => void = () => {}

  static async of(url: string, headers: Record<string, string> = {}): Promise<Lines> {
    const [response] = (await once(get(url, { headers, agent: false }), 'response')) as [IncomingMessage]
    return new Lines(response)
  }

  private constructor(response: IncomingMessage) {
    this.response = response
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n')
      this.#rest = lines.pop()!
      this.#lines.push(...lines)
      this.#wake()
    })
    response.on('error', () => {})
    response.on('close', () => {
      this.#over = true
      this.#wake()
    })
  }

  /** Null: it is over. */
  async next(): Promise<string | null> {
    while (this.#lines.length === 0 && !this.#over)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.#lines.shift() ?? null
  }

  async event(): Promise<any> {
    return JSON.parse((await this.next())!)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.response.destroy()
  }
}

function opaque(at: number, proxy = 'p'): ChaosEvent {
  return { type: 'opaque', at, proxy, connection: 1, reason: 'r' }
}

describe('events over HTTP', () => {
  it('#34 are there during a long connection: each fault once, with its rule', async () => {
    await using echo = await EchoServer.start()
    await using control = await Control.start()
    const proxy = await control.proxies.create({ name: 'p', backend: echo.address })
    await using talk = await TcpTalk.to(proxy.listen)
    await talk.echo('a')
    proxy.addFault({ type: 'latency', name: 'slow', attributes: { latency: 1 } })
    await using lines = await Lines.of(`${control.url}/events?proxy=p`)
    assert.match(lines.response.headers['content-type']!, /^application\/x-ndjson/)
    // First what was before, then what follows.
    const before = [await lines.event(), await lines.event(), await lines.event(), await lines.event()]
    assert.deepEqual(new Set(before.map(({ type }) => type)), new Set(['accept', 'change', 'dial', 'listen']))
    let next = await lines.event()
    while (next.type !== 'change') next = await lines.event()
    assert.deepEqual([next.what, next.rule.name], ['added', 'slow'])
    await talk.echo('b')
    await talk.echo('c')
    const fault = await lines.event()
    assert.deepEqual(
      [fault.type, fault.rule, fault.fault, fault.direction, fault.unit, fault.connection],
      ['fault', 'slow', 'latency', 'downstream', 'connection', 1],
    )
    assert.ok(fault.draw >= 0 && fault.draw < 1)
    assert.equal(talk.isOver, false)
    proxy.removeFault('slow')
    // No second one came in between.
    assert.deepEqual([(await lines.event()).what], ['removed'])
  })

  it('start with the last 1,000, and can be chosen by proxy and type', async () => {
    await using control = await Control.start()
    const { events } = control.proxies
    for (let at = 0; at < 1500; at++) events.tell(opaque(at, at % 2 === 0 ? 'even' : 'odd'))
    await using all = await Lines.of(`${control.url}/events`)
    for (let at = 500; at < 1500; at++) assert.equal((await all.event()).at, at)
    events.tell(opaque(-1))
    assert.equal((await all.event()).at, -1)
    await using odd = await Lines.of(`${control.url}/events?proxy=odd&type=fault,opaque`)
    for (let at = 501; at < 1500; at += 2) assert.equal((await odd.event()).at, at)
    await using none = await Lines.of(`${control.url}/events?type=fault&type=listen`)
    await control.proxies.create({ name: 'new', backend: 'x:1' })
    assert.deepEqual(await none.event().then(({ type, proxy }) => [type, proxy]), ['listen', 'new'])
  })

  it('are server-sent for who accepts those', async () => {
    await using control = await Control.start()
    control.proxies.events.tell(opaque(1))
    await using lines = await Lines.of(`${control.url}/events`, { accept: 'text/event-stream' })
    assert.match(lines.response.headers['content-type']!, /^text\/event-stream/)
    assert.equal(await lines.next(), 'event: opaque')
    assert.deepEqual(JSON.parse((await lines.next())!.replace(/^data: /, '')), opaque(1))
    assert.equal(await lines.next(), '')
  })

  it('a reader that is too slow is cut, and told how many it missed; others and the memory are not touched', async () => {
    await using control = await Control.start()
    const { events } = control.proxies
    await using slow = await Lines.of(`${control.url}/events`)
    slow.response.pause()
    await using quick = await Lines.of(`${control.url}/events?type=listen`)
    const before = process.memoryUsage().rss
    const told = 400_000
    for (let at = 0; at < told; at++) {
      events.tell(opaque(at))
      if (at % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    assert.ok(process.memoryUsage().rss - before < 200 * 1_048_576)
    events.tell({ type: 'listen', at: 0, proxy: 'p', listen: '', backend: '', protocol: '', seed: 1 })
    assert.equal((await quick.event()).type, 'listen')
    slow.response.resume()
    let read = 0
    let last = await slow.event()
    while (last.type !== 'missed') {
      assert.equal(last.at, read++, 'in order, without a gap')
      last = await slow.event()
    }
    assert.ok(last.count > 0)
    assert.equal(read + last.count, told + 1)
    assert.equal(await slow.next(), null)
  })

  it('end when the server closes, and when the reader has gone nothing is left of it', async () => {
    const control = await Control.start()
    const gone = await Lines.of(`${control.url}/events`)
    gone.response.destroy()
    await using lines = await Lines.of(`${control.url}/events`)
    await control[Symbol.asyncDispose]()
    assert.equal(await lines.next(), null)
    assert.equal(control.proxies.events.isHeard, false)
  })

  it('are read by 100 at most', async () => {
    await using control = await Control.start()
    const readers = await Promise.all(Array.from({ length: 100 }, () => Lines.of(`${control.url}/events`)))
    assert.equal((await control.call('GET', '/events')).status, 503)
    readers[0]!.response.destroy()
    // It is noticed in its own time.
    let status = 503
    while (status === 503) {
      await using lines = await Lines.of(`${control.url}/events`)
      status = lines.response.statusCode!
    }
    for (const reader of readers) reader.response.destroy()
  })
})
