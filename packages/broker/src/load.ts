import type { AgentToBroker, CommitEvent, RunSpec, StopMode, WindowMessage } from '@loads-runner/protocol'
import { isOpen, type MovedUnit, type RunStage } from '@loads-runner/testcase/load'
import type { Clock } from './clock.ts'
import { Controls, type ControlRequest, type Controlled } from './controls.ts'
import { Course } from './course.ts'
import type { Journal } from './journal.ts'
import { isPastKill } from './limits.ts'
import type { Member } from './member.ts'
import { remainingUnits, untouchedUnits } from './respread.ts'
import type { Roster } from './roster.ts'
import { RowLeases } from './row-leases.ts'
import { RunFigures } from './run-figures.ts'
import type { RunVoice } from './run-voice.ts'
import type { Subscribers } from './subscribers.ts'
import type { TakenWindow } from './window-intake.ts'

export interface LoadOptions {
  runId: string
  spec: RunSpec
  /** Of the spec's profile, in the order of their numbers. */
  stages: readonly RunStage[]
  clock: Clock
  journal: Journal
  roster: Roster
  voice: RunVoice
  subscribers: Subscribers
  /** A stage has begun or a scenario is through, or a stop was asked for: in words. */
  onChange: (what: 'stage' | 'stop', note: string) => void
  /** Something that has a part in the verdict. */
  onBlame: (exitCode: number, reason: string) => void
  /** Every agent is done or lost, and all that came from them is committed. */
  onEnd: () => void
  /** A commit failed by our own fault. */
  onDefect: (error: unknown) => void
}

type LoadMessage = Extract<AgentToBroker, { type: 'window' | 'stage-done' | 'lease-rows' }>

const stopRank: Record<StopMode, number> = { drain: 1, cancel: 2, kill: 3 }

/**
 * The part of a run in which load is made: stages, windows, changes, stops, lost agents, until the last agent has ended.
 */
export class Load {
  readonly figures: RunFigures
  readonly leases = new RowLeases()
  readonly #options: LoadOptions
  readonly #roster: Roster
  readonly #course: Course
  readonly #controls: Controls
  /** Feeds of which an agent got no rows any more. */
  readonly #dry = new Set<string>()
  #stopMode: StopMode | null = null
  #killedMs = 0
  #finishing = false
  #over = false

  constructor(options: LoadOptions) {
    const { runId, spec, stages, clock, journal, roster, voice } = options
    this.#options = options
    this.#roster = roster
    this.#course = new Course(stages)
    this.#controls = new Controls(runId)
    this.figures = new RunFigures({
      spec,
      clock,
      journal,
      roster,
      onBadWindow: (reason) => voice.say('warning', reason),
      onCommit: (windows, event) => this.#onCommit(windows, event),
      onThresholds: (event) => voice.publish(event),
      onAbort: (reason) => this.stop('drain', reason),
      onDefect: options.onDefect,
    })
  }

  /** The number of the stage that began last. */
  get stage(): number {
    return this.#course.latest
  }

  get began(): boolean {
    return this.figures.startedAt !== null
  }

  /** Load is made or being stopped. */
  get underWay(): boolean {
    return this.began && !this.#over
  }

  /** Begins the first stage of every scenario on every agent. */
  start(): void {
    const { voice } = this.#options
    const begun = this.#course.begin(this.#options.clock.monotonic())
    for (const member of this.#roster) {
      voice.become(member, 'running')
      for (const { stage } of begun) this.#startStage(member, stage.number)
    }
    for (const { stage } of begun) this.figures.stageBegins(stage.number, stage.scenario.startMs)
  }

  stageNote(): string {
    return this.#course.note()
  }

  #startStage(member: Member, stage: number): void {
    member.send({ type: 'start-stage', runId: this.#options.runId, stage })
  }

  /** What an agent says while it makes load. */
  take(member: Member, message: LoadMessage): void {
    if (message.type === 'window') this.#onWindow(member, message)
    else if (message.type === 'stage-done') this.#onStageDone(member, message.stage, message.units)
    else this.#onLeaseRows(member, message.feed, message.size, message.count)
  }

  #onStageDone(member: Member, stage: number, units: number): void {
    if (!this.underWay || !member.working || !this.#course.hasBegun(stage)) return
    member.stageDone(stage, units)
    this.#advance()
  }

  /** Goes on with every scenario of which every agent at work has said that its units of this stage have ended. */
  #advance(): void {
    const { clock, onChange } = this.#options
    if (this.#stopMode !== null || this.#roster.working().length === 0) return
    const isOver = (stage: number) => this.#roster.everyWorking((member) => member.done.has(stage))
    for (const { ended, next } of this.#course.advance(isOver, clock.monotonic())) {
      this.#controls.forget(ended.number)
      this.figures.stageEnded(ended.number)
      if (next !== null) {
        this.figures.stageBegins(next.number, 0)
        onChange('stage', this.#course.noteOf(next))
        for (const member of this.#roster.working()) this.#startStage(member, next.number)
      } else if (!this.#course.isOver) onChange('stage', `scenario ${ended.scenario.name} is through`)
    }
    if (this.#course.isOver) this.#finish()
  }

  /** Only now may agents end: until here each could have been asked to take over units of a lost one. */
  #finish(): void {
    if (this.#finishing) return
    this.#finishing = true
    this.figures.loadEnded()
    for (const member of this.#roster.working()) member.send({ type: 'finish', runId: this.#options.runId })
  }

  #onWindow(member: Member, window: WindowMessage): void {
    if (!this.underWay) return
    const taken = member.stream.offer(window, this.#options.clock.monotonic())
    if (taken !== 'duplicate') this.#take(member, taken)
    else if (window.number <= member.lastCommitted) member.acknowledge()
  }

  #take(member: Member, windows: readonly TakenWindow[]): void {
    const before = member.finalTaken
    this.figures.note(member, windows)
    for (const { window } of windows) {
      for (const { feed, used } of window.rows) this.leases.use(member.id, feed, used)
    }
    if (!before && member.finalTaken) {
      this.leases.giveBack(member.id, member.stream.missing.length > 0)
      if (this.#stopMode === null) this.#onFinal(member)
    }
    this.figures.commit(windows)
  }

  /** An agent has ended without being stopped: as it was told to, or by itself. */
  #onFinal(member: Member): void {
    if (!this.#finishing) this.#options.onBlame(5, `${member.id} ended early, in ${this.stageNote()}`)
    this.#move(member, untouchedUnits(this.#options.stages, member, this.figures.progress))
    this.#advance()
  }

  /** The windows are on disk and in the totals. */
  #onCommit(windows: readonly TakenWindow[], event: CommitEvent): void {
    const { subscribers, voice } = this.#options
    const heard = new Set<Member>()
    const done: Member[] = []
    for (const { agent, window, readable } of windows) {
      const member = this.#roster.byId(agent)!
      heard.add(member)
      member.lastCommitted = window.number
      if (readable) member.windows++
      if (window.final && member.live) done.push(member)
    }
    for (const member of heard) if (!member.gone) member.acknowledge()
    // Not through the voice: the commit loop has written it to the journal.
    subscribers.publish(event)
    for (const member of done) voice.become(member, 'done')
    this.#checkEnd()
  }

  #checkEnd(): void {
    if (!this.underWay || this.#roster.all().some((member) => member.live) || !this.figures.settle()) return
    // Committing what was left may have come here already.
    if (this.#over) return
    this.#over = true
    this.figures.stopClock()
    // After a stop that is what was asked for, however it came about.
    if (this.#stopMode === null && this.#roster.all().every((member) => member.gone)) {
      this.#options.onBlame(4, 'no agent is left: every agent of the run was lost')
    }
    this.#options.onEnd()
  }

  /**
   * Changes, pauses or resumes an externally controlled scenario.
   *
   * @param by which operator asks
   * @throws {Refusal} where that cannot be done
   */
  control(request: ControlRequest, by: string): Controlled {
    const { runId, clock, voice } = this.#options
    const running = this.#course.running()
    const controlled = this.#controls.change(request, running, clock.monotonic())
    const { stage, changes, target, paused, isNew } = controlled
    if (!isNew) return controlled
    for (const member of this.#roster.working()) {
      member.send({ type: 'control', runId, stage: stage.number, changes: [...changes] })
    }
    const { name: scenario } = stage.scenario
    const elapsedMs = this.figures.elapsedMs()
    voice.publish({ type: 'control', at: clock.now(), elapsedMs, scenario, target, paused, by })
    return controlled
  }

  /** An agent needs rows of a leased feed. */
  #onLeaseRows(member: Member, feed: string, size: number, count: number): void {
    if (!this.underWay || !member.working) return
    const { runId, voice, onBlame } = this.#options
    const lease = this.leases.lease(member.id, feed, size, Math.max(1, count))
    member.send({ type: 'rows', runId, feed, first: lease.first, count: lease.count })
    if (lease.complaint !== null) {
      onBlame(4, lease.complaint)
      this.stop('cancel', lease.complaint)
    } else if (lease.count === 0 && !this.#dry.has(feed)) {
      this.#dry.add(feed)
      voice.say('warning', `all ${size} rows of ${feed} are leased: ${member.id} gets none any more`)
    }
  }

  /** Tells every agent at work to end. Asking again escalates (drain, cancel, kill) or does nothing. */
  stop(mode: StopMode, note: string): void {
    if (!this.underWay) return
    if (this.#stopMode !== null && stopRank[mode] <= stopRank[this.#stopMode]) return
    const { runId, clock, onChange } = this.#options
    this.#stopMode = mode
    this.figures.loadEnded()
    if (mode === 'kill') this.#killedMs = clock.monotonic()
    onChange('stop', note)
    for (const member of this.#roster.working()) member.send({ type: 'stop', runId, mode })
  }

  /**
   * An agent is back over a new link. What does no harm when it is heard twice is said again; what was said while the
   * link was known to be broken has been kept for it.
   */
  resume(member: Member): void {
    member.stream.relink()
    member.acknowledge()
    if (!this.underWay || !member.working) return
    this.figures.sendCatalogue(member)
    const { runId } = this.#options
    if (this.#stopMode !== null) return member.send({ type: 'stop', runId, mode: this.#stopMode })
    member.sendUnits()
    if (this.#finishing) member.send({ type: 'finish', runId })
    else {
      for (const { stage } of this.#course.running()) {
        this.#startStage(member, stage.number)
        const changes = this.#controls.of(stage.number)
        if (changes.length === 0) continue
        member.send({ type: 'control', runId, stage: stage.number, changes: [...changes] })
      }
    }
  }

  /** Gaps and kills; called several times a second. */
  tick(nowMs: number): void {
    for (const member of this.#roster.working()) {
      if (!this.underWay) return
      const { stream } = member
      if (stream.gapAgeMs(nowMs) > this.#options.spec.leaseMs) this.#take(member, stream.giveUpGap())
      const isKilled = this.#stopMode === 'kill'
      if (isKilled && isPastKill(nowMs - this.#killedMs, nowMs - member.lastSaidMs)) {
        this.lose(member, 'lost', 'it did not end after kill')
      }
    }
  }

  /** An agent is given up: what came from it counts, the rest is named, and its units are seen to. */
  lose(member: Member, state: 'lost' | 'fenced', note: string): void {
    if (!this.underWay || !member.working) return
    const { voice } = this.#options
    // What waits behind a gap will not get its place any more: it counts now. It may hold the end.
    this.#take(member, member.stream.giveUpGap())
    if (!member.working) return
    member.lostAtMs = this.figures.elapsedMs()
    voice.become(member, state, note)
    voice.log('warning', `agent ${member.id} is ${state}: ${note}`)
    member.release(note)
    this.leases.giveBack(member.id, !member.left || member.stream.missing.length > 0)
    if (this.#stopMode === null) this.#replace(member)
    this.#advance()
    this.#checkEnd()
  }

  /** Does what the run asks for when an agent is lost. */
  #replace(lost: Member): void {
    const { onAgentLoss } = this.#options.spec
    if (onAgentLoss === 'fail') {
      this.#options.onBlame(4, `agent ${lost.id} was lost, and the run is to fail then`)
      return this.stop('cancel', `agent ${lost.id} was lost`)
    }
    if (onAgentLoss === 'continue') return
    this.#move(lost, remainingUnits(this.#options.stages, lost, this.figures.progress))
  }

  /** Gives units of one agent to those at work. */
  #move(from: Member, units: MovedUnit[]): void {
    if (units.length === 0) return
    const { clock, voice, onBlame } = this.#options
    const what = this.#describe(units)
    const to = this.#roster.move(from, units, this.figures.progress)
    if (to === null) {
      onBlame(5, `${what} of ${from.id} could not be moved: no other agent was at work any more`)
      return
    }
    voice.record({ type: 'moved', at: clock.now(), from: from.id, to })
    voice.say('warning', `${what} of ${from.id} go on on ${to.map(({ agent }) => agent).join(', ')}`)
  }

  /** `3 users`, `3 users and 10 lanes`. */
  #describe(units: readonly MovedUnit[]): string {
    const { stages } = this.#options
    const lanes = units.filter(({ stage }) => isOpen(stages[stage]!.model)).length
    const parts: string[] = []
    if (lanes < units.length) parts.push(`${units.length - lanes} users`)
    if (lanes > 0) parts.push(`${lanes} lanes of the schedule`)
    return parts.join(' and ')
  }
}
