import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent } from '@loads-runner/agent'
import { bundleTests, type Bundle } from '@loads-runner/engine'
import { Aggregate, DeltaDecoder } from '@loads-runner/metrics'
import {
  createInProcessChannel,
  type AgentToBroker,
  type BrokerToAgent,
  type Connection,
  type RunSpec,
  type WindowMessage,
} from '@loads-runner/protocol'
import { hitsPerUser, profileOf, specOf } from '@loads-runner/protocol/testing'
import { shareOut } from '@loads-runner/testcase/load'

/** For what comes in any case, however slow the machine is; less than a test may take, to say what is missing. */
const patienceMs = 50_000

export type Kind = AgentToBroker['type']
type Of<K extends Kind> = Extract<AgentToBroker, { type: K }>

/** A broker for one agent that does nothing by itself: the test says what it sends and waits for what comes. */
export class ScriptedBroker {
  readonly runId = 'run-1'
  readonly said: AgentToBroker[] = []
  readonly totals = new Aggregate()
  readonly logs: string[] = []
  /** Numbers of rows by feed, as windows said. */
  readonly usedRows = new Map<string, number[]>()
  readonly #channel = createInProcessChannel()
  #decoder = new DeltaDecoder()
  readonly #waiting = new Set<() => void>()
  #over = false
  #onPeer = () => {}
  #agent!: Agent
  #connection!: Connection<BrokerToAgent, AgentToBroker>

  async start(): Promise<void> {
    const { listener, dialer } = this.#channel
    listener.onPeer((peer) => {
      if (peer.role !== 'agent') return
      this.#connection = peer.connection
      this.#decoder = new DeltaDecoder()
      peer.connection.onMessage((message) => this.#take(message))
      this.#onPeer()
    })
    const identity = {
      id: 'agent-1',
      incarnation: 'one',
      host: hostname(),
      pid: process.pid,
      version: '0',
      slots: 1,
      labels: {},
    }
    const log = (_: string, text: string) => void this.logs.push(text)
    this.#agent = new Agent({
      dialer,
      identity,
      workDir: null,
      sessions: 'child',
      log,
      maxReconnectMs: 60_000,
    })
    await this.#agent.start()
  }

  async stop(): Promise<void> {
    this.#over = true
    await this.#agent.stop()
    await this.#channel.listener.close()
  }

  /** Is gone, as a broker whose machine lost its power. */
  async vanish(): Promise<void> {
    await this.#channel.listener.close()
  }

  /** Hangs up; resolves when the agent is back. */
  async relink(): Promise<void> {
    const back = new Promise<void>((resolve) => (this.#onPeer = resolve))
    await this.#connection.close()
    await back
  }

  get agent(): Agent {
    return this.#agent
  }

  send(message: BrokerToAgent): void {
    this.#connection.send(message)
  }

  /** The next message of this kind that was not waited for yet. */
  async next<K extends Kind>(kind: K, timeoutMs = patienceMs): Promise<Of<K>> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const index = this.said.findIndex((message) => message.type === kind)
      if (index >= 0) return this.said.splice(index, 1)[0] as Of<K>
      if (this.#over || Date.now() > deadline)
        throw new Error(`no ${kind} came; there was ${this.said.map((each) => each.type).join(' ')}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200)
        this.#waiting.add(() => (clearTimeout(timer), resolve()))
      })
    }
  }

  /** The next window that is as it should be; those before it are passed over. */
  async window(isSo: (window: WindowMessage) => boolean): Promise<WindowMessage> {
    const deadline = Date.now() + patienceMs
    for (;;) {
      const window = await this.next('window')
      if (isSo(window)) return window
      if (Date.now() > deadline) throw new Error(`no such window; the last was ${JSON.stringify(window)}`)
    }
  }

  /** What the next line of the log has that is like this; on a slow machine there may be warnings before it. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec((await this.next('log')).text)
      if (found !== null) return found
    }
  }

  finalWindow(): Promise<WindowMessage> {
    return this.window(({ final }) => final)
  }

  /** From `prepare` to the first stage, over the way that a real run goes; the agent is the first of `agents`. */
  async run(bundle: Bundle, spec: Partial<RunSpec>, agents = 1): Promise<void> {
    const whole = specFor(bundle, spec)
    this.send({ type: 'prepare', runId: this.runId, spec: whole, share: shareOut(whole.profile, agents)[0]! })
    const { hash } = await this.next('need-bundle')
    const half = bundle.bytes.length >> 1
    this.send({ type: 'bundle', runId: this.runId, hash, last: false, bytes: bundle.bytes.subarray(0, half) })
    this.send({ type: 'bundle', runId: this.runId, hash, last: true, bytes: bundle.bytes.subarray(half) })
    await this.next('prepared')
    this.send({ type: 'arm', runId: this.runId, data: '{}' })
    await this.next('armed')
    this.send({ type: 'start-stage', runId: this.runId, stage: 0 })
  }

  #use(feed: string, used: readonly number[]): void {
    const rows = this.usedRows.get(feed) ?? []
    for (let index = 0; index + 1 < used.length; index += 2) {
      for (let row = 0; row < used[index + 1]!; row++) rows.push(used[index]! + row)
    }
    this.usedRows.set(feed, rows)
  }

  #take(message: AgentToBroker): void {
    if (message.type === 'heartbeat') return
    if (message.type === 'window') {
      this.totals.apply(this.#decoder.decode(message.delta))
      for (const { feed, used } of message.rows) this.#use(feed, used)
    }
    this.said.push(message)
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }
}

/** A bundle of `example.ts` with this source, and of the files that are given by name and text. */
export async function bundleOf(source: string, files: Record<string, string> = {}): Promise<Bundle> {
  const testDir = await mkdtemp(join(tmpdir(), 'agent-'))
  try {
    await writeFile(join(testDir, 'example.ts'), source)
    for (const [name, text] of Object.entries(files)) await writeFile(join(testDir, name), text)
    return await bundleTests({ testDir, names: ['example'], includeFiles: Object.keys(files), external: [] })
  } finally {
    await rm(testDir, { recursive: true })
  }
}

/** A run of this bundle: one execution on one worker, unless `some` says otherwise. */
export function specFor({ tests, hash }: Bundle, some: Partial<RunSpec> = {}): RunSpec {
  const choices = tests.map(({ label, weight }) => ({ label, weight }))
  const { scenarios } = some.profile ?? profileOf(hitsPerUser(1, 1))
  return specOf({
    names: ['example'],
    tests,
    workers: 1,
    bundle: hash,
    windowMs: 100,
    drainMs: 5000,
    ...some,
    profile: { scenarios: scenarios.map((scenario) => ({ ...scenario, tests: choices })) },
  })
}
