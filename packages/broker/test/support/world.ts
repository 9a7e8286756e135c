import assert from 'node:assert/strict'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Summary } from '@loads-runner/metrics'
import { createInProcessChannel, type Dialer, type Identity, type RunSpec } from '@loads-runner/protocol'
import { specOf } from '@loads-runner/protocol/testing'
import { Broker } from '../../src/broker.ts'
import type { KeepRuns } from '../../src/journal-retention.ts'
import { FakeAgent } from './fake-agent.ts'
import { FakeConsole, type SeenRun } from './fake-console.ts'
import { ManualClock } from './manual-clock.ts'

/** Milliseconds of the manual clock per turn of the event loop. */
const stepMs = 10

/** A real broker with scripted peers over the in-process channel, all on one manual clock. */
export class World {
  readonly clock = new ManualClock()
  readonly broker: Broker
  readonly dialer: Dialer
  /** The way in of a process that holds the broker itself. */
  readonly inside: Dialer
  /** Runs as the process that holds the broker is told of them. */
  readonly submitted: { runId: string; spec: RunSpec }[] = []
  readonly log: { level: string; text: string }[] = []

  readonly #turn: () => Promise<unknown>

  constructor(stateDir: string | null = null, keepRuns?: KeepRuns) {
    // A disk has a pace of its own: the manual clock must not run away from it.
    this.#turn = stateDir === null ? () => nextTurn() : () => sleep(2)
    const { listener, dialer } = createInProcessChannel()
    const inside = createInProcessChannel()
    this.dialer = dialer
    this.inside = inside.dialer
    this.broker = new Broker({
      listeners: [listener, inside.listener],
      stateDir,
      ...(keepRuns === undefined ? {} : { keepRuns }),
      version: '1.2.3',
      clock: this.clock,
      log: (level, text) => this.log.push({ level, text }),
      onRun: (runId, spec) => this.submitted.push({ runId, spec }),
    })
  }

  async open(): Promise<this> {
    await this.broker.start()
    return this
  }

  async close(): Promise<void> {
    await this.broker.close()
  }

  agent(id: string, options: Partial<Identity> = {}): FakeAgent {
    return new FakeAgent(this.dialer, this.clock, id, options)
  }

  /** Agents a1, a2 ... that are registered. */
  async agents(count: number, options: Partial<Identity> = {}): Promise<FakeAgent[]> {
    const agents = Array.from({ length: count }, (_, index) => this.agent(`a${index + 1}`, options))
    for (const agent of agents) await agent.dial()
    return agents
  }

  async console(id = 'ann', dialer = this.dialer): Promise<FakeConsole> {
    const identity = {
      id,
      incarnation: `c${this.clock.now()}`,
      host: 'desk',
      pid: 2,
      version: '0',
      slots: 0,
    }
    return new FakeConsole(await dialer.dialAsOperator({ ...identity, labels: {} }))
  }

  /** A run in which agents do nothing with a stage by themselves; its first stages have begun. */
  async began(agents: FakeAgent[], changes: Partial<RunSpec> = {}): Promise<SeenRun> {
    for (const agent of agents) {
      agent.onStage = () => {}
      agent.onStop = () => {}
    }
    const console = await this.console()
    const { runId } = await console.ask({
      type: 'submit',
      spec: specOf({ agents: agents.length, ...changes }),
    })
    const run = console.run(runId)
    await this.until('every agent runs', () =>
      agents.every((agent) => (agent.sessions.get(runId)?.stage ?? -1) >= 0),
    )
    return run
  }

  async finished(run: SeenRun): Promise<Summary> {
    await this.until('finished', () => run.summary !== null)
    return run.summary!
  }

  /** Lets time pass, step by step, until something is so. */
  async until(what: string, isSo: () => boolean, limitMs = 300_000): Promise<void> {
    const endMs = this.clock.monotonic() + limitMs
    while (!isSo()) {
      if (this.clock.monotonic() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`)
      await this.#turn()
      this.clock.advance(stepMs)
    }
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.clock.monotonic() + ms
    await this.until(`${ms} ms pass`, () => this.clock.monotonic() >= endMs, ms + 1000)
  }

  /** Lets messages arrive without time passing. */
  async settle(): Promise<void> {
    for (let turns = 0; turns < 20; turns++) await this.#turn()
  }

  /** What went wrong in the broker itself. */
  defects(): string[] {
    return this.log
      .filter(({ level, text }) => level === 'error' && /defect|failed:/.test(text))
      .map(({ text }) => text)
  }
}

export function checkBalance(summary: Summary): void {
  for (const { id, ledger } of summary.agents) {
    assert.equal(ledger.started, ledger.reported + ledger.lost, `the ledger of ${id} does not balance`)
  }
  const { started, finished, interrupted, lost } = summary.tests
  assert.equal(started, finished + interrupted + lost)
}
