import {
  redacted,
  tearDownNote,
  type AgentToBroker,
  type Annotation,
  type OperatorResults,
  type RunRow,
  type RunSpec,
  type RunState,
  type SnapshotEvent,
  type StopMode,
} from '@loads-runner/protocol'
import { runStages, shareOut, type RunStage } from '@loads-runner/testcase/load'
import { Annotations } from './annotations.ts'
import type { RegisteredAgent } from './agent-registry.ts'
import type { Clock } from './clock.ts'
import { complaintAbout, Conductor } from './conductor.ts'
import type { ControlRequest } from './controls.ts'
import { messageOf, Refusal } from './errors.ts'
import { asSeconds, judgeSilence } from './limits.ts'
import { Load } from './load.ts'
import { Member } from './member.ts'
import { cannotRunCode, Preparation } from './preparation.ts'
import { Roster } from './roster.ts'
import { closeRun } from './run-facts.ts'
import type { RunOptions } from './run-options.ts'
import { rowOf, snapshotOf, type RunParts } from './run-picture.ts'
import { RunStateMachine } from './run-state.ts'
import { RunVoice } from './run-voice.ts'
import { Subscribers, type OperatorPeerConnection } from './subscribers.ts'
import { blameOfStop, exitCodeOfStop, noteOfStop, type StopReason } from './stop-reason.ts'
import type { Cause } from './verdict.ts'

/**
 * One run from `queued` to its end: the agents in it, what each of them still has to say before the next step, and
 * the verdict. Every decision is made in one turn of the event loop; only the journal takes time, and that is the
 * commit loop's affair.
 */
export class Run {
  readonly id: string
  readonly spec: RunSpec
  readonly submittedAt: number
  readonly subscribers: Subscribers
  readonly #options: RunOptions
  readonly #clock: Clock
  readonly #machine: RunStateMachine
  readonly #voice: RunVoice
  readonly #annotations: Annotations
  readonly #load: Load
  readonly #conductor: Conductor
  readonly #preparation: Preparation
  readonly #roster = new Roster()
  readonly #stages: readonly RunStage[]
  readonly #causes: Cause[] = []
  /** Load is over, or never will be: nobody but the conductor is waited for. */
  #concluding = false
  /** Why it is queued, as last said. */
  #waitsFor = ''
  #end: { snapshot: SnapshotEvent; row: RunRow } | null = null

  constructor(options: RunOptions) {
    const { id, spec, clock, journal, log } = options
    this.id = id
    this.spec = spec
    this.#options = options
    this.#clock = clock
    this.#stages = runStages(spec.profile)
    this.submittedAt = clock.now()
    this.subscribers = new Subscribers(id, () => this.snapshot())
    this.#voice = new RunVoice(id, clock, journal, this.subscribers, log)
    this.#conductor = new Conductor(id, options.conductor)
    this.#machine = new RunStateMachine(id, (state, note) => {
      this.#voice.log('info', note === '' ? state : `${state}: ${note}`)
      this.#showState(note)
      if (!this.ended) options.onState()
    })
    this.#load = new Load({
      runId: id,
      spec,
      stages: this.#stages,
      clock,
      journal,
      roster: this.#roster,
      voice: this.#voice,
      subscribers: this.subscribers,
      onChange: (what, note) => {
        if (what === 'stop' && this.state === 'running') this.#machine.move('draining', note)
        else this.#showState(note)
      },
      onBlame: (exitCode, reason) => this.#blame(exitCode, reason),
      onEnd: () => this.#conclude(),
      onDefect: (error) => this.defect(error),
    })
    this.#preparation = new Preparation({
      runId: id,
      spec,
      clock,
      roster: this.#roster,
      voice: this.#voice,
      loadBundle: options.loadBundle,
      onLoaded: () => this.#onLoaded(),
      onArmed: () => this.#onArmed(),
      onFailure: (exitCode, reason) => this.#abandon(exitCode, reason),
    })
    this.#annotations = new Annotations(clock, this.#voice, () => this.#load.figures.elapsedMs())
    this.#voice.record({ type: 'submitted', at: this.submittedAt, runId: id, spec: redacted(spec) })
  }

  get state(): RunState {
    return this.#machine.current
  }

  get ended(): boolean {
    return this.#machine.ended
  }

  row(): RunRow {
    if (this.#end !== null) return this.#end.row
    return rowOf(this.#parts())
  }

  /** The whole run so far, as one event. */
  snapshot(): SnapshotEvent {
    if (this.#end !== null) return this.#end.snapshot
    return snapshotOf(this.#parts())
  }

  #parts(): RunParts {
    return {
      runId: this.id,
      spec: this.spec,
      state: this.state,
      submittedAt: this.submittedAt,
      roster: this.#roster,
      load: this.#load,
      annotations: this.#annotations,
    }
  }

  // ---- the way of a run: begin, prepared, set up, armed, stages, end

  /** It is not its turn yet: says why, once. */
  wait(why: string): void {
    if (this.#waitsFor === why || this.ended) return
    this.#waitsFor = why
    this.#showState(why)
  }

  /** Gives every agent its share and has it load the tests. */
  begin(agents: readonly RegisteredAgent[]): void {
    const nowMs = this.#clock.monotonic()
    const { profile, replay } = this.spec
    const shares = shareOut(profile, agents.length)
    // One execution alone: what the profile plans is not what is made.
    const planned = replay === null ? this.#stages : []
    for (const [index, agent] of agents.entries()) {
      const stream = this.#load.figures.streamFor(agent.id)
      this.#roster.add(new Member(this.id, agent, shares[index]!, planned, stream, this.spec.windowMs, nowMs))
      agent.runs.add(this.id)
    }
    const members = this.#roster.all().map(({ id, agent, share }) => {
      return { id, incarnation: agent.identity.incarnation, share }
    })
    this.#voice.record({ type: 'members', at: this.#clock.now(), members })
    this.#machine.move('preparing', `on ${this.#roster.ids().join(', ')}`)
    this.#preparation.load()
  }

  /** Every agent has loaded the tests. */
  #onLoaded(): void {
    this.#conductor.become('setting-up')
    this.#machine.move('ready', this.#conductor.needed ? 'waiting for setUpRun' : '')
    if (!this.#conductor.needed) this.#preparation.arm('{}')
  }

  /**
   * The conductor's setUpRun has ended.
   *
   * @throws {Refusal} when the run does not wait for it
   */
  setUpDone(connection: OperatorPeerConnection, data: string, error: string | null): void {
    this.#conductor.check(connection)
    // A stop has overtaken it: tear-down is what the run waits for.
    if (this.#conductor.state === 'tearing-down') return
    if (this.#conductor.state !== 'setting-up') throw this.#wrongState('set-up-done')
    const complaint = error === null ? complaintAbout(data) : `setUpRun failed: ${error}`
    if (complaint !== null) return this.#abandon(4, complaint)
    this.#conductor.become('set-up')
    this.#preparation.arm(data)
  }

  /** Every agent has run setUpAgent: load begins. */
  #onArmed(): void {
    this.#load.figures.startClock()
    this.#machine.move('running', this.#load.stageNote())
    this.#load.start()
  }

  /** The run cannot begin: everything is let go. */
  #abandon(exitCode: number, reason: string): void {
    if (this.#concluding || this.ended) return
    this.#blame(exitCode, reason)
    for (const member of this.#roster) member.release(reason)
    this.#conclude()
  }

  /** No load any more: tearDownRun where there was a setUpRun, then the end. */
  #conclude(): void {
    this.#concluding = true
    if (!this.#conductor.mustTearDown) return this.#finish()
    this.#conductor.become('tearing-down')
    if (this.state === 'draining') this.#showState(tearDownNote)
    else this.#machine.move('draining', tearDownNote)
  }

  /**
   * The conductor's tearDownRun has ended.
   *
   * @throws {Refusal} when the run does not wait for it
   */
  tearDownDone(connection: OperatorPeerConnection, error: string | null): void {
    this.#conductor.check(connection)
    if (this.#conductor.state !== 'tearing-down') throw this.#wrongState('tear-down-done')
    if (error !== null) this.#blame(4, `tearDownRun failed: ${error}`)
    this.#finish()
  }

  /** A console is gone; it matters if it was the conductor. */
  operatorGone(connection: OperatorPeerConnection): void {
    this.subscribers.remove(connection)
    if (!this.#conductor.is(connection) || this.ended) return
    const reason = this.#conductor.lose()
    this.#blame(4, reason)
    if (this.#concluding) this.#finish()
    else if (!this.#load.began) this.#abandon(4, reason)
    else this.#load.stop('cancel', 'the conductor is gone')
  }

  #finish(): void {
    if (this.ended) return
    this.#concluding = true
    this.#conductor.become('over')
    this.#tellLeftOut(Infinity)
    const endedAt = this.#clock.now()
    const { judgement, summary } = closeRun({
      runId: this.id,
      spec: this.spec,
      members: this.#roster.all(),
      causes: this.#causes,
      figures: this.#load.figures,
      feeds: this.#load.leases.audit(),
      endedAt,
    })
    this.#machine.move(judgement.state, judgement.reasons.join('; '))
    this.#end = { snapshot: this.snapshot(), row: { ...this.row(), endedAt, verdict: judgement.verdict } }
    const text = JSON.stringify(summary)
    this.#voice.publish({ type: 'finished', at: this.#clock.now(), state: judgement.state, summary: text })
    for (const member of this.#roster) member.release('the run is over')
    void this.suspend()
    // What late watchers need is in the last snapshot.
    this.#roster.clear()
    this.#options.onEnd()
  }

  /** Nothing moves any more; the journal is complete once this settles. */
  async suspend(): Promise<void> {
    this.#load.figures.close()
    await this.#options.journal.close()
  }

  // ---- stop

  /**
   * Asks for an end. Asking again escalates (drain, cancel, kill) or does nothing.
   *
   * @param by which operator asks
   */
  stop(mode: StopMode, reason: StopReason, by: string): void {
    if (this.ended) return
    const exitCode = exitCodeOfStop(reason, this.#load.began && mode === 'drain')
    if (exitCode !== null) this.#blame(exitCode, blameOfStop(reason))
    if (this.#concluding) {
      if (mode !== 'kill') return
      this.#blame(exitCode ?? 7, 'tearDownRun was not waited for: kill was asked for')
      return this.#finish()
    }
    if (!this.#load.began) return this.#abandon(exitCode ?? 7, `stopped before load began, by ${by}`)
    this.#load.stop(mode, exitCode === null ? 'the run is complete' : noteOfStop(mode, reason, by))
  }

  /**
   * Changes users or rate of an externally controlled scenario, pauses or resumes it.
   *
   * @param by which operator asks
   * @returns what holds from now on
   * @throws {Refusal} NOT_RUNNING, NOT_CONTROLLED and others, with what there is
   */
  control(request: ControlRequest, by: string): OperatorResults['control'] {
    if (this.state !== 'running') {
      throw new Refusal(
        'NOT_RUNNING',
        `run ${this.id} is ${this.state}; only a running one can be controlled`,
      )
    }
    const { stage, target, paused } = this.#load.control(request, by)
    return { scenario: stage.scenario.name, target, paused }
  }

  /**
   * Publishes what an operator has to say of this moment of the run.
   *
   * @throws {Refusal} RUN_ENDED, TOO_MANY_VALUES or TOO_MANY_ANNOTATIONS
   */
  annotate(connection: OperatorPeerConnection, by: string, annotation: Annotation): void {
    if (this.ended) {
      throw new Refusal('RUN_ENDED', `run ${this.id} has ended; only one that goes on can be annotated`)
    }
    this.#annotations.take(this.#conductor.is(connection) ? 'conductor' : by, annotation)
  }

  /** Ends a run that never had agents. */
  giveUp(exitCode: number, reason: string): void {
    this.#abandon(exitCode, reason)
  }

  // ---- agents

  /** A message of an agent about this run. What does not fit the moment is left alone. */
  handle(agent: RegisteredAgent, message: Exclude<AgentToBroker, { type: 'heartbeat' | 'released' }>): void {
    const member = this.#roster.of(agent)
    if (member === null || member.gone || this.ended) return this.#turnAway(agent)
    member.lastSaidMs = this.#clock.monotonic()
    if (message.type === 'log') return this.#voice.relay(member.id, message.level, message.text)
    if (message.type === 'annotate') return this.#annotations.relay(member.id, message.annotation)
    if (this.#concluding) return
    switch (message.type) {
      case 'need-bundle':
      case 'prepared':
      case 'armed':
        return this.#preparation.take(member, message)
      case 'stage-done':
      case 'window':
      case 'lease-rows':
        return this.#load.take(member, message)
      case 'session-lost':
        return this.#lose(member, 'lost', `its session is gone: ${message.reason}`)
      case 'cannot-run':
        if (this.#load.began) return this.#lose(member, 'lost', message.message)
        return this.#abandon(cannotRunCode(message.exitCode), `${member.id} cannot run: ${message.message}`)
    }
  }

  /** Its slot is free. Before its final window that means that it gave the run up. */
  released(agent: RegisteredAgent): void {
    const member = this.#roster.of(agent)
    if (member === null || !member.working) return
    member.left = true
    agent.leaving = true
    this.#lose(member, 'lost', 'it has left the run; all that it did is here')
  }

  /** The process is gone, or a new one has its name. */
  agentGone(agent: RegisteredAgent, state: 'lost' | 'fenced', note: string): void {
    const member = this.#roster.of(agent)
    if (member !== null) this.#lose(member, state, note)
  }

  /** It has work to do in this run. */
  countsOn(agent: RegisteredAgent): boolean {
    return this.#roster.of(agent)?.live ?? false
  }

  /** It was given up by this run, which goes on. */
  hasLost(agent: RegisteredAgent): boolean {
    return this.#roster.of(agent)?.gone ?? false
  }

  /** The same process over a new link: what it may have missed is said again. */
  agentReturned(agent: RegisteredAgent): void {
    const member = this.#roster.of(agent)
    if (member === null || member.gone || this.ended) return this.#turnAway(agent)
    this.#preparation.resume(member)
    this.#load.resume(member)
  }

  /** It has no part in the run any more and is to forget it: what it still says of it is not counted. */
  #turnAway(agent: RegisteredAgent): void {
    const former = this.ended ? null : this.#roster.formerly(agent)
    if (former?.state === 'lost') this.#voice.become(former, 'fenced', 'it came back too late')
    agent.send({ type: 'release', runId: this.id, reason: 'this agent has no part in the run any more' })
  }

  /** Leases and limits; called several times a second. */
  tick(nowMs: number): void {
    if (this.ended) return
    this.#tellLeftOut(nowMs)
    if (this.#concluding || this.state === 'queued') return
    for (const member of this.#roster.working()) this.#checkLease(member, nowMs)
    if (this.#load.began) this.#load.tick(nowMs)
    else this.#preparation.tick(nowMs)
  }

  #checkLease(member: Member, nowMs: number): void {
    const silentMs = nowMs - member.agent.lastHeardMs
    const silence = judgeSilence(silentMs, this.spec.leaseMs)
    if (silence === 'lost') this.#lose(member, 'lost', `nothing was heard of it for ${asSeconds(silentMs)} s`)
    else this.#voice.suspect(member, silence === 'suspect' || !member.agent.connected)
  }

  #lose(member: Member, state: 'lost' | 'fenced', note: string): void {
    if (!member.working || this.#concluding || this.ended) return
    if (this.#load.began) return this.#load.lose(member, state, note)
    this.#voice.become(member, state, note)
    this.#abandon(4, `agent ${member.id} was ${state} before load began: ${note}`)
  }

  /** Our own code failed on this run: it ends, so that nobody waits for it and no other run is harmed. */
  defect(error: unknown): void {
    this.#voice.log('error', `a defect: ${error instanceof Error ? error.stack : String(error)}`)
    if (this.ended) return
    this.#blame(70, `a defect of the broker: ${messageOf(error)}; its log has the details`)
    for (const member of this.#roster) member.release('the broker failed on this run')
    this.#finish()
  }

  /** Says something that whoever watches the run should know. */
  say(level: 'info' | 'warning' | 'error', text: string): void {
    if (!this.ended) this.#voice.say(level, text)
  }

  #tellLeftOut(nowMs: number): void {
    this.#voice.tell(nowMs)
    this.#annotations.tell(nowMs)
  }

  #showState(note: string): void {
    const { stage, figures } = this.#load
    const { startedAt } = figures
    this.#voice.publish({ type: 'state', at: this.#clock.now(), state: this.state, startedAt, stage, note })
  }

  #blame(exitCode: number, reason: string): void {
    if (!this.#causes.some((cause) => cause.reason === reason)) this.#causes.push({ exitCode, reason })
  }

  #wrongState(what: string): Refusal {
    return new Refusal('WRONG_STATE', `run ${this.id} is ${this.state} and does not wait for ${what}`)
  }
}
