import assert from 'node:assert/strict'
import { Catalogue } from '@loads-runner/metrics'
import type { BrokerToAgent } from '@loads-runner/protocol'
import {
  isOpen,
  iterationsOf,
  runStages,
  shareOut,
  type LoadProfile,
  type MovedUnit,
  type RunStage,
} from '@loads-runner/testcase/load'
import fc from 'fast-check'
import { RegisteredAgent, type AgentPeerConnection } from '../../src/agent-registry.ts'
import { Member } from '../../src/member.ts'
import { Progress, remainingUnits } from '../../src/respread.ts'
import { Roster } from '../../src/roster.ts'
import { WindowStream } from '../../src/window-intake.ts'

/** Iterations that users of stages bounded by time, and starts that lanes, come to in the end. */
const enough = 40

interface Held {
  stage: RunStage
  /** Iterations, in open models starts, when the agent got it, now, and as last reported. */
  from: number
  at: number
}

/** What the session of one agent has and knows. */
interface Session {
  member: Member
  units: Map<number, Held>
  dropped: number
  /** Starts that fell due and still wait. */
  waiting: number
}

interface Work {
  do: 'work'
  agent: number
  unit: number
  count: number
  dropped: number
  waiting: number
}

type Step = Work | { do: 'report'; agent: number } | { do: 'lose'; agent: number }

/** The books of a run whose agents work, report and are lost at random: without messages, time or a broker. */
export class FakeCluster {
  readonly #stages: RunStage[]
  readonly #roster = new Roster()
  readonly #progress: Progress
  readonly #sessions: Session[]

  static script(): fc.Arbitrary<Step[]> {
    const agent = fc.nat(4)
    const few = fc.nat(3)
    return fc.array(
      fc.oneof(
        {
          weight: 6,
          arbitrary: fc.record({
            do: fc.constant('work' as const),
            agent,
            unit: fc.nat(60),
            count: few,
            dropped: few,
            waiting: few,
          }),
        },
        { weight: 3, arbitrary: fc.record({ do: fc.constant('report' as const), agent }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), agent }) },
      ),
      { maxLength: 60, size: 'max' },
    )
  }

  constructor(profile: LoadProfile, agents: number) {
    this.#stages = runStages(profile)
    this.#progress = new Progress(profile)
    this.#sessions = shareOut(profile, agents).map((share, index) => {
      const units = new Map<number, Held>()
      const connection = {
        send: (message: BrokerToAgent) => {
          if (message.type === 'add-units') this.#take(units, message.units)
          return true
        },
        backlog: 0,
        close: () => Promise.resolve(),
      } as unknown as AgentPeerConnection
      const identity = {
        id: `a${index}`,
        incarnation: '1',
        host: 'h',
        pid: 1,
        version: '0',
        slots: 1,
        labels: {},
      }
      const agent = new RegisteredAgent(identity, connection, [], 0)
      const stream = new WindowStream(agent.id, new Catalogue(10), () => {})
      const member = new Member('r1', agent, share, this.#stages, stream, 1000, 0)
      this.#roster.add(member)
      for (const [number, { first, count }] of share.ranges.entries()) {
        const stage = this.#stages[number]!
        for (let unit = first; unit < first + count; unit++) units.set(unit, { stage, from: 0, at: 0 })
      }
      return { member, units, dropped: 0, waiting: 0 }
    })
  }

  play(script: readonly Step[]): void {
    for (const step of script) {
      const session = this.#sessions[step.agent]
      if (session === undefined || !session.member.working) continue
      if (step.do === 'report') this.#report(session)
      else if (step.do === 'lose') this.#lose(session)
      else this.#work(session, step)
    }
  }

  /** The agents at work do all that is left, and end. */
  complete(): void {
    for (const session of this.#working()) {
      session.waiting = 0
      for (const [unit, held] of session.units) {
        const end = iterationsOf(held.stage, unit) ?? enough
        if (isOpen(held.stage.model)) session.dropped += Math.max(0, end - held.at) >> 2
        held.at = Math.max(held.at, end)
      }
      this.#report(session)
    }
  }

  /** Every unit that has not ended is some agent's, and no two have it. */
  checkOwners(): void {
    if (this.#working().length === 0) return
    const owners = new Map<number, string>()
    for (const { member, units } of this.#working()) {
      for (const unit of units.keys()) {
        assert.ok(!owners.has(unit), `${owners.get(unit)} and ${member.id} both have unit ${unit}`)
        owners.set(unit, member.id)
      }
    }
    for (const stage of this.#stages) {
      for (let unit = stage.firstUnit; unit < stage.firstUnit + stage.units; unit++) {
        const bound = iterationsOf(stage, unit)
        const isOver = bound !== null && this.#progress.of(unit) >= bound
        assert.ok(isOver || owners.has(unit), `nobody has unit ${unit}`)
      }
    }
  }

  /** All that was planned is accounted for, once: by the broker's own sums. */
  checkBooks(): void {
    if (this.#working().length === 0) return
    let total = 0
    for (const stage of this.#stages) {
      for (let unit = stage.firstUnit; unit < stage.firstUnit + stage.units; unit++) {
        const bound = iterationsOf(stage, unit)
        assert.equal(this.#progress.of(unit), bound ?? enough, `unit ${unit}`)
        if (bound !== null || isOpen(stage.model)) total += bound ?? enough
      }
    }
    const planned = this.#sessions.map(({ member }) => member.planned)
    assert.equal(
      planned.reduce((a, b) => a + b, 0),
      total,
      `planned: ${planned.join()}`,
    )
  }

  #working(): Session[] {
    return this.#sessions.filter(({ member }) => member.working)
  }

  #take(units: Map<number, Held>, moved: readonly MovedUnit[]): void {
    for (const { unit, stage, fromIteration } of moved) {
      units.set(unit, { stage: this.#stages[stage]!, from: fromIteration, at: fromIteration })
    }
  }

  #work(session: Session, step: Work): void {
    const units = [...session.units.keys()]
    if (units.length === 0) return
    const unit = units[step.unit % units.length]!
    const held = session.units.get(unit)!
    const end = iterationsOf(held.stage, unit) ?? enough
    const before = held.at
    held.at = Math.min(end, held.at + step.count)
    if (!isOpen(held.stage.model)) return
    session.dropped += Math.min(step.dropped, held.at - before)
    session.waiting = Math.min(step.waiting, end - held.at)
  }

  #report(session: Session): void {
    const { member, units } = session
    const pairs: number[] = []
    let planned = session.waiting
    let finished = 0
    for (const [unit, { stage, from, at }] of units) {
      pairs.push(unit, at)
      finished += at - from
      if (isOpen(stage.model)) planned += at - from
      else planned += Math.max(0, (iterationsOf(stage, unit) ?? from) - from)
    }
    this.#progress.take(pairs)
    const started = finished - session.dropped
    member.ledger = { planned, started, finished: started, interrupted: 0, dropped: session.dropped }
  }

  #lose({ member }: Session): void {
    member.become('lost')
    this.#roster.move(member, remainingUnits(this.#stages, member, this.#progress), this.#progress)
  }
}
