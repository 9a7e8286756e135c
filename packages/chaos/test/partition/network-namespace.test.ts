import assert from 'node:assert/strict'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { NetworkNamespaces } from '../../src/partition/network-namespace.ts'
import { Peer } from '../support/peer.ts'
import { cannot } from '../support/needs.ts'

const echo = `
  const server = require('node:net').createServer((socket) => socket.on('error', () => {}).pipe(socket))
  server.listen(7000, () => console.log('listening'))`

/** An echo server at an endpoint. */
async function serve(spaces: NetworkNamespaces, name: string): Promise<ChildProcess> {
  const { command, args } = spaces.command(name, process.execPath, '-e', echo)
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout!, 'data')
  return child
}

async function dial(address: string): Promise<Peer> {
  return Peer.connect({ host: address, port: 7000 })
}

/** So long an answer may take that comes; of one that does not come, tests are sure earlier. */
const answerMs = 30_000

/** A client's own timeout: what it gets to see of a SYN without an answer. */
async function isAnswered(address: string, ms = answerMs): Promise<boolean> {
  const socket: Socket = connect({ host: address, port: 7000 })
  let timer: NodeJS.Timeout | undefined
  const seen = await new Promise<string>((resolve) => {
    socket.once('connect', () => resolve('connected'))
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code!))
    timer = setTimeout(() => resolve('nothing'), ms)
  })
  clearTimeout(timer)
  socket.destroy()
  assert.match(seen, /connected|nothing/)
  return seen === 'connected'
}

describe('partitions of a real network', () => {
  let spaces: NetworkNamespaces | null = null
  const children: ChildProcess[] = []

  before(async function () {
    const missing = await NetworkNamespaces.missing()
    if (missing !== null) cannot(this as never, missing)
    try {
      spaces = await NetworkNamespaces.open(['broker', 'agent'])
    } catch (error) {
      cannot(this as never, (error as Error).message)
    }
    children.push(await serve(spaces, 'broker'))
  })

  after(async () => {
    for (const child of children) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await spaces?.close()
  })

  it('#35 a cut gives a true connect timeout; heal answers again', async () => {
    const broker = spaces!.address('broker')
    assert.equal(await isAnswered(broker), true)
    const scope = await spaces!.cut('host', 'broker')
    assert.equal(await isAnswered(broker, 1500), false)
    await scope.end()
    assert.equal(await isAnswered(broker), true)
  })

  it('#35 bytes of a live connection are late, not lost, as TCP has it', async () => {
    const peer = await dial(spaces!.address('broker'))
    peer.write('one')
    await peer.until(3)
    await spaces!.cut('host', 'broker', { oneWay: true })
    peer.write('two')
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.equal(peer.text, 'one')
    await spaces!.heal()
    await peer.until(6)
    assert.equal(peer.text, 'onetwo')
    peer.socket.destroy()
  })

  it('one way: what the broker hears is not what it can say', async () => {
    const peer = await dial(spaces!.address('broker'))
    await using _ = await spaces!.cut('broker', 'host', { oneWay: true })
    peer.write('x')
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.equal(peer.length, 0)
    peer.socket.destroy()
    assert.equal(await isAnswered(spaces!.address('broker'), 500), false)
  })

  it('cuts two endpoints from each other and from nobody else', async function () {
    this.timeout(120_000)
    const broker = spaces!.address('broker')
    const ask = (ms = answerMs): string => {
      const script = `const socket = require('node:net').connect(7000, '${broker}', () => { console.log('connected'); process.exit() })
        setTimeout(() => { console.log('nothing'); process.exit() }, ${ms})`
      const { command, args } = spaces!.command('agent', process.execPath, '-e', script)
      return execFileSync(command, args, { encoding: 'utf8' }).trim()
    }
    assert.equal(ask(), 'connected')
    const one = await spaces!.cut('agent', 'broker')
    const two = await spaces!.cut('broker', 'agent')
    assert.equal(ask(1500), 'nothing')
    assert.equal(await isAnswered(broker), true)
    await one.end()
    assert.equal(ask(1500), 'nothing')
    await two.end()
    assert.equal(ask(), 'connected')
  })

  it('refuses what it does not know, and leaves nothing behind', async () => {
    await assert.rejects(spaces!.cut('broker', 'nobody'), { code: 'CHAOS_NOT_FOUND' })
    assert.throws(() => spaces!.address('nobody'), { code: 'CHAOS_NOT_FOUND' })
    await assert.rejects(NetworkNamespaces.open(['host']), { code: 'CHAOS_STATE' })
    const names = (): string[] =>
      execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
        .split('\n')
        .map((line) => line.split(' ')[0]!)
    const other = await NetworkNamespaces.open(['a'])
    const { args } = other.command('a', 'true')
    assert.ok(names().includes(args[2]!))
    await other.close()
    await other.close()
    assert.ok(!names().includes(args[2]!))
  })
})
