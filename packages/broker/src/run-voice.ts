import { FloodGate } from '@loads-runner/metrics'
import type { AgentState, RunEvent } from '@loads-runner/protocol'
import type { Clock } from './clock.ts'
import type { Journal } from './journal.ts'
import type { Member } from './member.ts'
import type { Subscribers } from './subscribers.ts'

export type LogLevel = 'debug' | 'info' | 'warning' | 'error'
/** The broker's own log. */
export type Log = (level: LogLevel, text: string) => void

type EventLevel = Exclude<LogLevel, 'debug'>

/** Lines that the agents of a run may log within a second; the rest is counted. */
const maxLines = 200
/** Characters of a line that are kept. */
const maxLineLength = 8192

/** All that a run tells the world: its event stream, its journal, the broker's log. */
export class RunVoice {
  readonly #runId: string
  readonly #clock: Clock
  readonly #journal: Journal
  readonly #subscribers: Subscribers
  readonly #log: Log
  readonly #lines = new FloodGate(maxLines)

  constructor(runId: string, clock: Clock, journal: Journal, subscribers: Subscribers, log: Log) {
    this.#runId = runId
    this.#clock = clock
    this.#journal = journal
    this.#subscribers = subscribers
    this.#log = log
  }

  publish(event: RunEvent): void {
    this.record(event)
    this.#subscribers.publish(event)
  }

  /** For the journal alone. */
  record(record: object): void {
    void this.#journal.write(record)
  }

  /** For the broker's log alone. */
  log(level: LogLevel, text: string): void {
    this.#log(level, `run ${this.#runId}: ${text}`)
  }

  /** Something that whoever watches the run should know. */
  say(level: EventLevel, text: string): void {
    this.log(level, text)
    this.publish({ type: 'log', at: this.#clock.now(), level, source: 'broker', text })
  }

  /** A line of an agent. A flood of them must fill neither the journal nor the consoles. */
  relay(agent: string, level: EventLevel, text: string): void {
    if (!this.#lines.passes(this.#clock.monotonic())) return
    this.publish({
      type: 'log',
      at: this.#clock.now(),
      level,
      source: agent,
      text: text.slice(0, maxLineLength),
    })
  }

  /** Says how many lines were left out, once a second at most. @param nowMs Infinity: nothing follows */
  tell(nowMs: number): void {
    const count = this.#lines.leftOut(nowMs)
    if (count > 0) this.say('warning', `${count} log lines of agents were left out`)
  }

  show(member: Member, note = ''): void {
    this.publish({ type: 'agent', at: this.#clock.now(), agent: member.view(), note })
  }

  /** It is silent, or is heard again. Said once. */
  suspect(member: Member, isSilent: boolean): void {
    if (isSilent === member.suspect) return
    member.suspect = isSilent
    this.show(member, isSilent ? 'it is silent' : 'it is back')
  }

  become(member: Member, state: AgentState, note = ''): void {
    member.become(state)
    this.show(member, note)
  }
}
