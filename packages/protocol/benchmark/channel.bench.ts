/**
 * By hand, from the repository's root: node --import tsx packages/protocol/benchmark/channel.bench.ts [dialers]
 *
 * Messages per second of one connection in each channel, agent to broker, windows with 2 KiB of delta; both ends share
 * this process. With a number: CPU of a broker alone that so many agents, in another process, send a window per second.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import type { AgentConnection, Dialer, Identity, Listener } from '../src/channel.ts'
import { createInProcessChannel } from '../src/channels/in-process.ts'
import { dialer } from '../src/channels/zeromq-dialer.ts'
import { listen } from '../src/channels/zeromq-listener.ts'
import { formatJoin, parseJoin } from '../src/join.ts'
import { createKeys } from '../src/keys.ts'
import type { WindowMessage } from '../src/messages/agent-to-broker.ts'

const delta = new Uint8Array(2048).map((_, i) => (i * 7919) % 256)
const windowOf = (number: number): WindowMessage => ({
  type: 'window',
  runId: 'run',
  number,
  fromMs: number * 1000,
  toMs: number * 1000 + 1000,
  final: false,
  activeUsers: 10,
  ledger: { planned: 0, started: 100, finished: 90, interrupted: 0, dropped: 0 },
  progress: [1, 10, 2, 20],
  delta,
  rows: [],
  generator: { eventLoopLagMs: 0.5, cpu: 0.1, gcMs: 0, latenessMs: 0, portsExhausted: false },
})
const identityOf = (id: string): Identity => ({
  id,
  incarnation: '1',
  host: 'here',
  pid: process.pid,
  version: '0',
  slots: 1,
  labels: {},
})

async function throughput(name: string, listener: Listener, agents: Dialer, total: number): Promise<void> {
  let received = 0
  let finish = () => {}
  const finished = new Promise<void>((resolve) => (finish = resolve))
  listener.onPeer((peer) => {
    if (peer.role === 'agent')
      peer.connection.onMessage(() => {
        received += 1
        if (received === total) finish()
      })
  })
  const connection = await agents.dialAsAgent(identityOf('a'))
  const startedAt = performance.now()
  const cpu = process.cpuUsage()
  for (let i = 0; i < total; i++)
    if (!connection.send(windowOf(i))) while (connection.backlog > 200) await nextTurn()
  await finished
  const seconds = (performance.now() - startedAt) / 1000
  const used = process.cpuUsage(cpu)
  const micros = (used.user + used.system) / total
  console.log(
    `${name.padEnd(12)} ${Math.round(total / seconds)} messages/s, ${micros.toFixed(0)} µs of CPU each (both ends)`,
  )
  await connection.close()
  await listener.close()
}

async function manyAgents(count: number): Promise<void> {
  const keys = createKeys()
  const listener = await listen({ host: '127.0.0.1', port: 0, keys })
  let received = 0
  listener.onPeer((peer) => {
    if (peer.role === 'agent') peer.connection.onMessage(() => void (received += 1))
  })
  const child = fork(import.meta.filename, { execArgv: ['--import', 'tsx'] })
  const ready = once(child, 'message')
  const startedAt = performance.now()
  child.send({ join: formatJoin(keys, 'agent', listener.address), count })
  await ready
  console.log(`${count} agents connected in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  await delay(2_000)
  const before = received
  const cpu = process.cpuUsage()
  await delay(10_000)
  const used = process.cpuUsage(cpu)
  const share = (used.user + used.system) / 10_000_000
  const rss = Math.round(process.memoryUsage().rss / 1024 / 1024)
  console.log(
    `${Math.round((received - before) / 10)} messages/s from ${listener.peers} agents: ${(share * 100).toFixed(1)} % of a core, ${rss} MiB`,
  )
  child.kill('SIGKILL')
  await once(child, 'exit')
  await listener.close()
}

/** The other process of `manyAgents`. */
process.once('message', (start: { join: string; count: number }) => void beAgents(start))

async function beAgents({ join, count }: { join: string; count: number }): Promise<void> {
  const all: AgentConnection[] = []
  for (let at = 0; at < count; at += 50)
    all.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(50, count - at) }, (_, i) =>
          dialer(parseJoin(join)).dialAsAgent(identityOf(`agent-${at + i}`)),
        ),
      )),
    )
  all.forEach((connection, i) => {
    let number = 0
    setTimeout(() => setInterval(() => connection.send(windowOf(number++)), 1_000), i % 1_000)
  })
  process.send!('ready')
}

if (process.send === undefined) {
  const inProcess = createInProcessChannel()
  await throughput('in-process', inProcess.listener, inProcess.dialer, 50_000)
  const keys = createKeys()
  const listener = await listen({ host: '127.0.0.1', port: 0, keys })
  await throughput('ZeroMQ', listener, dialer(parseJoin(formatJoin(keys, 'agent', listener.address))), 50_000)
  const count = Number(process.argv[2] ?? 0)
  if (count > 0) await manyAgents(count)
}
