import assert from 'node:assert/strict'
import type { Context } from 'mocha'
import { Redis } from 'ioredis'
import { Toxiproxy } from 'toxiproxy-node-client'
import { Control } from '../support/control.ts'
import { freePort } from '../support/free-port.ts'
import { RedisServer } from '../support/redis-server.ts'

/** Milliseconds after which a member thinks that a silent one is lost. */
const patience = 500

/** A member of a cluster, whom the others reach through a proxy; it reaches them from an address of its own. */
class Member implements AsyncDisposable {
  readonly name: string
  readonly source: string
  readonly client: Redis
  readonly #server: RedisServer
  readonly #bus: number

  static async start(test: Context, control: Control, name: string, source: string): Promise<Member> {
    const hidden = await freePort()
    const proxy = await control.proxies.create({ name, backend: `127.0.0.1:${hidden}` })
    const bus = proxy.address.port
    const options = {
      'cluster-enabled': 'yes',
      'cluster-config-file': `${name}.conf`,
      'cluster-node-timeout': patience,
      'cluster-port': hidden,
      'cluster-announce-bus-port': bus,
      'cluster-announce-ip': '127.0.0.1',
      'bind-source-addr': source,
    }
    const given = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)])
    return new Member(name, source, await RedisServer.start(test, given), bus)
  }

  private constructor(name: string, source: string, server: RedisServer, bus: number) {
    this.name = name
    this.source = source
    this.#server = server
    this.#bus = bus
    this.client = new Redis(server.port, '127.0.0.1')
  }

  async meets({ client }: Member): Promise<void> {
    await client.call('CLUSTER', 'MEET', '127.0.0.1', String(this.#server.port), String(this.#bus))
  }

  /** How many of the others it hears of, and does not. */
  async sees(): Promise<{ connected: number; lost: number }> {
    const nodes = String(await this.client.call('CLUSTER', 'NODES'))
    const others = nodes.split('\n').filter((line) => line !== '' && !line.includes('myself'))
    const lost = others.filter((line) => /[ ,]fail/.test(line)).length
    const connected = others.filter(
      (line) => line.includes(' connected') && !/fail|handshake/.test(line),
    ).length
    return { connected, lost }
  }

  async isServing(): Promise<boolean> {
    return String(await this.client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.disconnect()
    await this.#server[Symbol.asyncDispose]()
  }
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const began = performance.now()
  while (!(await isSo())) {
    assert.ok(performance.now() - began < 40_000, `not so after 40 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

describe('a cluster behind proxies', function () {
  this.timeout(150_000)

  it('#19 Redis Cluster of three: rate 0 both ways splits it, removal heals it, and the API stays responsive', async function () {
    await using control = await Control.start()
    const api = new Toxiproxy(control.url)
    await using a = await Member.start(this, control, 'a', '127.0.0.11')
    await using b = await Member.start(this, control, 'b', '127.0.0.12')
    await using c = await Member.start(this, control, 'c', '127.0.0.13')
    const members = [a, b, c]
    let slots = 0
    for (const [at, { client }] of members.entries()) {
      const end = at === 2 ? 16_383 : slots + 5000
      await client.call('CLUSTER', 'ADDSLOTSRANGE', String(slots), String(end))
      slots = end + 1
    }
    const isWhole = async (): Promise<boolean> =>
      (
        await Promise.all(
          members.map(async (each) => (await each.isServing()) && (await each.sees()).connected === 2),
        )
      ).every(Boolean)
    await until('they know each other', async () => {
      // Redis gives up a handshake that takes longer than a second; where one goes on, another is not begun.
      for (const each of [b, c]) if ((await each.sees()).connected === 0) await each.meets(a)
      return isWhole()
    })

    let slowest = 0
    const timed = async <T>(call: Promise<T>): Promise<T> => {
      const from = performance.now()
      const answer = await call
      slowest = Math.max(slowest, performance.now() - from)
      return answer
    }
    const stall = async (
      name: string,
      attributes: Record<string, unknown>,
    ): Promise<(() => Promise<void>)[]> => {
      const proxy = await timed(api.get(name))
      return Promise.all(
        ['upstream', 'downstream'].map(async (stream) => {
          const body = { type: 'bandwidth', stream, attributes: { rate: 0, ...attributes } }
          const toxic = await timed(proxy.addToxic(body as never))
          return () => timed(toxic.remove())
        }),
      )
    }

    // All apart: nobody hears of anybody.
    const apart = (await Promise.all(members.map(({ name }) => stall(name, {})))).flat()
    await until('each is alone', async () =>
      (await Promise.all(members.map((each) => each.sees()))).every(({ lost }) => lost === 2),
    )
    for (const each of members)
      await until(`${each.name} serves nobody`, async () => !(await each.isServing()))
    await timed(api.getAll())
    await Promise.all(apart.map((remove) => remove()))
    await until('they are one again', isWhole)

    // One apart: those that it asks, and that ask it, hear nothing; the two others go on.
    const alone = [
      ...(await stall('c', {})),
      ...(await stall('a', { match: { client: c.source } })),
      ...(await stall('b', { match: { client: c.source } })),
    ]
    await until('the split is seen from both sides', async () => {
      const [one, other, lonely] = await Promise.all(members.map((each) => each.sees()))
      const pair = [one!, other!].every(({ connected, lost }) => connected === 1 && lost === 1)
      return pair && lonely!.lost === 2
    })
    await timed(api.getAll())
    await Promise.all(alone.map((remove) => remove()))
    await until('they are one again', isWhole)
    // One that waited for those who hear nothing would not come back.
    assert.ok(slowest < 20_000, `a call took ${slowest} ms`)
  })
})
