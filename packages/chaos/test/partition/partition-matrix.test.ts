import assert from 'node:assert/strict'
import type { ChaosEvent } from '../../src/events/event.ts'
import { EventHub } from '../../src/events/event-hub.ts'
import { PartitionMatrix } from '../../src/partition/partition-matrix.ts'
import { Peer } from '../support/peer.ts'
import { TcpBackend } from '../support/tcp-backend.ts'

/** Three endpoints, all of which listen. */
class Cluster implements AsyncDisposable {
  readonly matrix: PartitionMatrix
  readonly backends: Record<string, TcpBackend>
  readonly events: ChaosEvent[] = []

  private constructor(backends: Record<string, TcpBackend>) {
    this.backends = backends
    const events = new EventHub()
    events.listen((event) => this.events.push(event))
    const endpoints = Object.fromEntries(
      Object.entries(backends).map(([name, { address }]) => [name, address]),
    )
    this.matrix = new PartitionMatrix({ endpoints: { ...endpoints, outsider: null }, events, seed: 1 })
  }

  static async start(): Promise<Cluster> {
    const [a, b, c] = await Promise.all([TcpBackend.start(), TcpBackend.start(), TcpBackend.start()])
    return new Cluster({ a, b, c })
  }

  async dial(from: string, to: string): Promise<Peer> {
    const address = await this.matrix.address(from, to)
    return Peer.connect({ host: '127.0.0.1', port: Number(address.split(':')[1]) })
  }

  /** A connection, both ends of which have heard of each other. */
  async pair(from: string, to: string): Promise<{ near: Peer; far: Peer }> {
    const near = await this.dial(from, to)
    near.write('hello')
    const far = await this.backends[to]!.next()
    await far.until(5)
    far.write('welcome')
    await near.until(7)
    return { near, far }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.matrix.close()
    await Promise.all(Object.values(this.backends).map((each) => each[Symbol.asyncDispose]()))
  }
}

/** Longer than any byte takes that is on its way. */
const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60))

async function dialError(cluster: Cluster, from: string, to: string): Promise<string> {
  try {
    const peer = await cluster.dial(from, to)
    return await peer.ended()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code!
  }
}

describe('the partition matrix', () => {
  it('gives each ordered pair a way of its own, made when it is asked for', async () => {
    await using cluster = await Cluster.start()
    const { matrix } = cluster
    assert.deepEqual(matrix.state().ways, [])
    const [one, other, again] = await Promise.all([
      matrix.address('a', 'b'),
      matrix.address('b', 'a'),
      matrix.address('a', 'b'),
    ])
    assert.equal(one, again)
    assert.notEqual(one, other)
    const { near } = await cluster.pair('a', 'b')
    near.socket.destroy()
    const accepted = cluster.events.filter(({ type }) => type === 'accept')
    assert.deepEqual(
      accepted.map(({ proxy }) => proxy),
      ['a->b'],
    )
    await assert.rejects(matrix.address('a', 'd'), {
      code: 'CHAOS_NOT_FOUND',
      message: /there are a, b, c, outsider/,
    })
    await assert.rejects(matrix.address('a', 'a'), { code: 'CHAOS_ADDRESS' })
    await assert.rejects(matrix.address('a', 'outsider'), { code: 'CHAOS_ADDRESS' })
    await matrix.address('outsider', 'a')
  })

  it('#35 blackhole: bytes vanish in both directions, nobody is told, new connections get no answer; heal closes', async () => {
    await using cluster = await Cluster.start()
    const { matrix } = cluster
    const { near, far } = await cluster.pair('a', 'b')
    const { near: idle } = await cluster.pair('a', 'b')
    const { near: other, far: otherFar } = await cluster.pair('a', 'c')
    await matrix.cut('a', 'b')
    near.write('lost')
    far.write('lost')
    const fresh = await cluster.dial('a', 'b')
    fresh.write('is anyone there')
    other.write('served')
    await otherFar.until(11)
    await aWhile()
    assert.equal(near.text, 'welcome')
    assert.equal(far.text, 'hello')
    assert.equal(near.ending, null)
    assert.equal(far.ending, null)
    assert.equal(fresh.length, 0)
    assert.equal(cluster.backends['b']!.peers.length, 2)
    await matrix.heal()
    // Both have a hole in their stream; that on which nothing was lost has none.
    assert.match(await near.ended(), /end|ECONNRESET/)
    assert.match(await far.ended(), /end|ECONNRESET/)
    idle.write('still here')
    await cluster.backends['b']!.peers[1]!.until(15)
    // It was told that it is connected, and what it said is lost, too.
    assert.match(await fresh.ended(), /end|ECONNRESET/)
    const { near: again } = await cluster.pair('a', 'b')
    assert.equal(again.ending, null)
  })

  it('#35 one way: bytes of one direction vanish, whoever opened the connection; those of the other arrive', async () => {
    await using cluster = await Cluster.start()
    const opened = await cluster.pair('a', 'b')
    const taken = await cluster.pair('b', 'a')
    await cluster.matrix.cut('a', 'b', { oneWay: true })
    opened.near.write('lost')
    taken.far.write('lost')
    opened.far.write('arrives')
    taken.near.write('arrives')
    await opened.near.until(14)
    await taken.far.until(12)
    const later = await cluster.dial('a', 'b')
    later.write('lost')
    const laterFar = await cluster.backends['b']!.next().then(() => cluster.backends['b']!.peers.at(-1)!)
    laterFar.write('arrives')
    await later.until(7)
    await aWhile()
    assert.equal(opened.far.text, 'hello')
    assert.equal(taken.near.text, 'welcome')
    assert.equal(laterFar.length, 0)
    await cluster.matrix.heal()
    for (const peer of [opened.near, opened.far, taken.near, taken.far])
      assert.match(await peer.ended(), /end|ECONNRESET/)
  })

  it('#35 reset: live connections are reset, new ones, too; others go on', async () => {
    await using cluster = await Cluster.start()
    const { near, far } = await cluster.pair('a', 'b')
    const back = await cluster.pair('b', 'a')
    const other = await cluster.pair('a', 'c')
    const scope = await cluster.matrix.cut('a', 'b', { mode: 'reset' })
    for (const peer of [near, far, back.near, back.far]) assert.equal(await peer.ended(), 'ECONNRESET')
    assert.equal(await dialError(cluster, 'a', 'b'), 'ECONNRESET')
    assert.equal(await dialError(cluster, 'b', 'a'), 'ECONNRESET')
    other.near.write('x')
    await other.far.until(6)
    await scope.end()
    await cluster.pair('a', 'b')
  })

  it('#35 refuse: live connections are reset, new ones refused; heal listens at the same address', async () => {
    await using cluster = await Cluster.start()
    const address = await cluster.matrix.address('a', 'b')
    const { near, far } = await cluster.pair('a', 'b')
    await cluster.matrix.cut('a', 'b', { mode: 'refuse' })
    assert.equal(await near.ended(), 'ECONNRESET')
    assert.equal(await far.ended(), 'ECONNRESET')
    assert.equal(await dialError(cluster, 'a', 'b'), 'ECONNREFUSED')
    await cluster.matrix.heal()
    assert.equal(await cluster.matrix.address('a', 'b'), address)
    await cluster.pair('a', 'b')
  })

  it('one way of the harder modes is for who opens', async () => {
    await using cluster = await Cluster.start()
    const back = await cluster.pair('b', 'a')
    for (const mode of ['reset', 'refuse'] as const) {
      await using _ = await cluster.matrix.cut('a', 'b', { mode, oneWay: true })
      assert.equal(await dialError(cluster, 'a', 'b'), mode === 'reset' ? 'ECONNRESET' : 'ECONNREFUSED')
      back.near.write('x')
      back.far.write('x')
    }
    await back.near.until(9)
    await back.far.until(7)
  })

  it('parts groups, isolates one, and knows how things are', async () => {
    await using cluster = await Cluster.start()
    const { matrix } = cluster
    await matrix.address('a', 'b')
    await matrix.address('a', 'c')
    await matrix.address('b', 'c')
    const states = () =>
      Object.fromEntries(matrix.state().ways.map(({ from, to, mode }) => [`${from}${to}`, mode]))
    const parted = await matrix.partition([['a', 'b'], ['c']], { mode: 'reset' })
    assert.deepEqual(states(), { ab: 'open', ac: 'reset', bc: 'reset' })
    // Made while it is cut.
    await matrix.address('c', 'a')
    assert.equal(states()['ca'], 'reset')
    const alone = await matrix.isolate('a')
    assert.deepEqual(states(), { ab: 'blackhole', ac: 'reset', bc: 'reset', ca: 'reset' })
    await parted.end()
    assert.deepEqual(states(), { ab: 'blackhole', ac: 'blackhole', bc: 'open', ca: 'blackhole' })
    assert.equal(matrix.state().cuts.length, 3)
    await alone.end()
    await alone.end()
    assert.deepEqual(states(), { ab: 'open', ac: 'open', bc: 'open', ca: 'open' })
    assert.deepEqual(matrix.state().cuts, [])
    await assert.rejects(matrix.isolate('d'), { code: 'CHAOS_NOT_FOUND' })
    await assert.rejects(matrix.partition([['a'], ['d']]), { code: 'CHAOS_NOT_FOUND' })
    await assert.rejects(matrix.cut('a', 'a'), { code: 'CHAOS_ADDRESS' })
    assert.deepEqual(matrix.state().cuts, [])
  })

  it('cuts of one way lie over each other: an inner one ends, the outer one stays', async () => {
    await using cluster = await Cluster.start()
    const { near, far } = await cluster.pair('a', 'b')
    const outer = await cluster.matrix.cut('a', 'b')
    near.write('lost')
    await aWhile()
    const inner = await cluster.matrix.cut('a', 'b', { mode: 'blackhole' })
    await outer.end()
    await aWhile()
    // It would have been closed had the black hole been taken away in between.
    assert.equal(near.ending, null)
    assert.equal(far.ending, null)
    const hard = await cluster.matrix.cut('b', 'a', { mode: 'refuse' })
    assert.equal(await near.ended(), 'ECONNRESET')
    await inner.end()
    assert.equal(await dialError(cluster, 'a', 'b'), 'ECONNREFUSED')
    await hard.end()
    await cluster.pair('a', 'b')
  })

  it('keeps faults that others added to a way', async () => {
    await using cluster = await Cluster.start()
    const proxy = await cluster.matrix.proxy('a', 'b')
    proxy.addFault({ type: 'noop', name: 'mine' })
    for (const mode of ['blackhole', 'reset', 'refuse'] as const) {
      await using _ = await cluster.matrix.cut('a', 'b', { mode })
    }
    assert.deepEqual(
      proxy.rules.all().map(({ name }) => name),
      ['mine'],
    )
  })
})
