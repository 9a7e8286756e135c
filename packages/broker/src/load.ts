import type { CommitEvent, RunSpec, StopMode, WindowMessage } from '@loads-runner/protocol'
import type { MovedUser } from '@loads-runner/testcase/load'
import type { Clock } from './clock.ts'
import type { Journal } from './journal.ts'
import { isPastKill } from './limits.ts'
import type { Member } from './member.ts'
import { remainingUsers, untouchedUsers } from './respread.ts'
import type { Roster } from './roster.ts'
import { RunFigures } from './run-figures.ts'
import type { RunVoice } from './run-voice.ts'
import type { Subscribers } from './subscribers.ts'
import type { TakenWindow } from './window-intake.ts'

export interface LoadOptions {
  runId: string
  spec: RunSpec
  clock: Clock
  journal: Journal
  roster: Roster
  voice: RunVoice
  subscribers: Subscribers
  /** A stage has begun, or a stop was asked for: in words. */
  onChange: (what: 'stage' | 'stop', note: string) => void
  /** Something that has a part in the verdict. */
  onBlame: (exitCode: number, reason: string) => void
  /** Every agent is done or lost, and all that came from them is committed. */
  onEnd: () => void
  /** A commit failed by our own fault. */
  onDefect: (error: unknown) => void
}

const stopRank: Record<StopMode, number> = { drain: 1, cancel: 2, kill: 3 }

/** The part of a run in which load is made: stages, windows, stops, lost agents, until the last agent has ended. */
export class Load {
  readonly figures: RunFigures
  readonly #options: LoadOptions
  readonly #roster: Roster
  #stage = 0
  #stopMode: StopMode | null = null
  #killedMs = 0
  #finishing = false
  #over = false

  constructor(options: LoadOptions) {
    const { spec, clock, journal, roster, voice } = options
    this.#options = options
    this.#roster = roster
    this.figures = new RunFigures({
      spec,
      clock,
      journal,
      roster,
      onBadWindow: (reason) => voice.say('warning', reason),
      onCommit: (windows, event) => this.#onCommit(windows, event),
      onDefect: options.onDefect,
    })
  }

  get stage(): number {
    return this.#stage
  }

  get began(): boolean {
    return this.figures.startedAt !== null
  }

  /** Load is made or being stopped. */
  get underWay(): boolean {
    return this.began && !this.#over
  }

  stageNote(): string {
    return `stage ${this.#stage + 1} of ${this.#options.spec.profile.stages.length}`
  }

  /** Begins stage 0 on every agent. */
  start(): void {
    const { runId, voice } = this.#options
    for (const member of this.#roster) {
      voice.become(member, 'running')
      member.send({ type: 'start-stage', runId, stage: 0 })
    }
  }

  onStageDone(member: Member, stage: number): void {
    if (!this.underWay || stage !== this.#stage || !member.working) return
    member.stageDone = true
    this.#nextStage()
  }

  /** Goes on once every agent at work has said that its users of this stage have ended. */
  #nextStage(): void {
    const { runId, spec, onChange } = this.#options
    const working = this.#roster.working()
    if (this.#stopMode !== null || working.length === 0) return
    if (!working.every((member) => member.stageDone)) return
    if (this.#stage + 1 >= spec.profile.stages.length) return this.#finish()
    this.#stage++
    onChange('stage', this.stageNote())
    for (const member of working) {
      member.stageDone = false
      member.send({ type: 'start-stage', runId, stage: this.#stage })
    }
  }

  /** Only now may agents end: until here each could have been asked to take over users of a lost one. */
  #finish(): void {
    if (this.#finishing) return
    this.#finishing = true
    for (const member of this.#roster.working()) member.send({ type: 'finish', runId: this.#options.runId })
  }

  onWindow(member: Member, window: WindowMessage): void {
    if (!this.underWay) return
    const taken = member.stream.offer(window, this.#options.clock.monotonic())
    if (taken !== 'duplicate') this.#take(member, taken)
    else if (window.number <= member.lastCommitted) member.acknowledge()
  }

  #take(member: Member, windows: readonly TakenWindow[]): void {
    const before = member.finalTaken
    this.figures.note(member, windows)
    if (!before && member.finalTaken && this.#stopMode === null) this.#onFinal(member)
    this.figures.commit(windows)
  }

  /** An agent has ended without being stopped: as it was told to, or by itself. */
  #onFinal(member: Member): void {
    const { profile } = this.#options.spec
    if (!this.#finishing) this.#options.onBlame(5, `${member.id} ended early, in ${this.stageNote()}`)
    this.#move(member, untouchedUsers(profile, member.moved, this.figures.progress))
    this.#nextStage()
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

  /** Tells every agent at work to end. Asking again escalates (drain, cancel, kill) or does nothing. */
  stop(mode: StopMode, note: string): void {
    if (!this.underWay) return
    if (this.#stopMode !== null && stopRank[mode] <= stopRank[this.#stopMode]) return
    const { runId, clock, onChange } = this.#options
    this.#stopMode = mode
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
    if (this.#stopMode !== null) member.send({ type: 'stop', runId, mode: this.#stopMode })
    else if (this.#finishing) member.send({ type: 'finish', runId })
    else member.send({ type: 'start-stage', runId, stage: this.#stage })
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

  /** An agent is given up: what came from it counts, the rest is named, and its users are seen to. */
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
    if (this.#stopMode === null) this.#replace(member)
    this.#nextStage()
    this.#checkEnd()
  }

  /** Does what the run asks for when an agent is lost. */
  #replace(lost: Member): void {
    const { onAgentLoss, profile } = this.#options.spec
    if (onAgentLoss === 'fail') {
      this.#options.onBlame(4, `agent ${lost.id} was lost, and the run is to fail then`)
      return this.stop('cancel', `agent ${lost.id} was lost`)
    }
    if (onAgentLoss === 'continue') return
    const from = lost.stageDone ? this.#stage + 1 : this.#stage
    this.#move(lost, remainingUsers(profile, lost, from, this.figures.progress))
  }

  /** Gives users of one agent to those at work. */
  #move(from: Member, users: MovedUser[]): void {
    if (users.length === 0) return
    const { clock, voice, onBlame } = this.#options
    const to = this.#roster.move(from, users, this.#stage)
    if (to === null) {
      onBlame(
        5,
        `${users.length} users of ${from.id} could not be moved: no other agent was at work any more`,
      )
      return
    }
    voice.record({ type: 'moved', at: clock.now(), from: from.id, to })
    voice.say(
      'warning',
      `${users.length} users of ${from.id} go on on ${to.map(({ agent }) => agent).join(', ')}`,
    )
  }
}
