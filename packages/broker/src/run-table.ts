import { randomBytes } from 'node:crypto'
import type { RunRow, RunSpec } from '@loads-runner/protocol'
import { totalUnits } from '@loads-runner/testcase/load'
import type { AgentRegistry, RegisteredAgent } from './agent-registry.ts'
import type { BundleStore } from './bundle-store.ts'
import type { Clock } from './clock.ts'
import { Refusal } from './errors.ts'
import { openJournal } from './journal.ts'
import { JournalRetention, type KeepRuns } from './journal-retention.ts'
import { place } from './placement.ts'
import { Run } from './run.ts'
import type { Log } from './run-voice.ts'
import { RunWatchers } from './run-watchers.ts'
import type { OperatorPeerConnection } from './subscribers.ts'
import { checkThresholds } from './threshold-guard.ts'

/** Ended runs that can still be attached to. */
const maxEnded = 100
/** Runs that may wait or run at once. */
const maxActive = 1000
/** Users of one run: what is kept per user is 4 bytes. */
const maxUsers = 10_000_000

export interface RunTableOptions {
  clock: Clock
  registry: AgentRegistry
  bundles: BundleStore
  stateDir: string | null
  /** What to keep of journals; without it, all. */
  keepRuns: KeepRuns | null
  log: Log
  /** A run was submitted; its spec is the whole one, secrets and passwords included. Never throws. */
  onRun: (runId: string, spec: RunSpec) => void
}

/** All runs of a broker: the queue, the active ones, the last that have ended. */
export class RunTable {
  readonly #options: RunTableOptions
  /** In the order in which they were submitted. */
  readonly #runs = new Map<string, Run>()
  /** Since when too few agents are registered for a queued run. */
  readonly #shortSinceMs = new Map<Run, number>()
  readonly #watchers = new RunWatchers()
  readonly #retention: JournalRetention | null
  #placing = false
  /** Of journals, after the run that ended last. */
  #pruning: Promise<void> = Promise.resolve()

  constructor(options: RunTableOptions) {
    this.#options = options
    const { stateDir, keepRuns: keep, clock, log } = options
    this.#retention =
      stateDir === null || keep === null
        ? null
        : new JournalRetention({ stateDir, keep, clock, log, stateOf: (id) => this.#stateOf(id) })
  }

  #stateOf(id: string): 'active' | 'ended' | 'unknown' {
    const run = this.#runs.get(id)
    if (run === undefined) return 'unknown'
    return run.ended ? 'ended' : 'active'
  }

  /** Removes journals that are beyond the limits. Settles when that is done; never rejects. */
  async prune(): Promise<void> {
    await this.#retention?.prune()
  }

  get(id: string): Run | undefined {
    return this.#runs.get(id)
  }

  active(): Run[] {
    return [...this.#runs.values()].filter((run) => !run.ended)
  }

  /** Nothing moves any more; settles when every journal is on disk. */
  async suspend(): Promise<void> {
    await Promise.all([...this.#runs.values()].map((run) => run.suspend()))
    await this.#pruning
  }

  /** Tells this console of each run that is new or changes its state, until it is gone. */
  watch(connection: OperatorPeerConnection): void {
    this.#watchers.add(connection)
  }

  rows(): RunRow[] {
    return [...this.#runs.values()].map((run) => run.row())
  }

  /** @throws {Refusal} UNKNOWN_RUN */
  find(id: string): Run {
    const run = this.#runs.get(id)
    if (run !== undefined) return run
    const known = [...this.#runs.keys()].slice(-10)
    const hint = known.length === 0 ? 'there is none' : `the latest are ${known.join(', ')}`
    throw new Refusal('UNKNOWN_RUN', `there is no run ${id}; ${hint}`)
  }

  /** @throws {Refusal} NO_ACTIVE_RUN or SEVERAL_RUNS, with what there is */
  onlyActive(): Run {
    const active = this.active()
    if (active.length === 1) return active[0]!
    if (active.length > 1) {
      const rows = active.map((run) => `${run.id} (${run.state}: ${run.spec.names.join(' ')})`)
      throw new Refusal('SEVERAL_RUNS', `${active.length} runs are active, name one: ${rows.join(', ')}`)
    }
    const ended = [...this.#runs.keys()].slice(-3)
    const hint = ended.length === 0 ? '' : `; the last ones were ${ended.join(', ')}`
    throw new Refusal('NO_ACTIVE_RUN', `no run is active${hint}`)
  }

  /**
   * Takes a run on. It begins at once where it can, and waits in the queue otherwise.
   *
   * @throws {Refusal} when it can never run as it is
   */
  async submit(spec: RunSpec, conductor: OperatorPeerConnection): Promise<Run> {
    await this.#check(spec)
    const { clock, bundles, stateDir, log } = this.#options
    const id = this.#newId()
    const journal = openJournal(stateDir, id, (reason) => run.say('error', reason))
    const run: Run = new Run({
      id,
      spec,
      clock,
      journal,
      log,
      conductor: spec.conducted ? conductor : null,
      loadBundle: (hash) => bundles.get(hash),
      onState: () => this.#watchers.tell(run.row()),
      onEnd: () => this.#onEnd(run),
    })
    this.#runs.set(id, run)
    this.#watchers.tell(run.row())
    this.#options.onRun(id, spec)
    log('info', `run ${id}: submitted, ${spec.names.join(' ')} on ${spec.agents} agents`)
    return run
  }

  /**
   * Begins every queued run whose turn it is. A run for which all registered agents are too few does not hold up those
   * behind it; one that waits for busy agents does, or a large run would never begin.
   */
  place(): void {
    if (this.#placing) return
    this.#placing = true
    try {
      for (const run of this.active()) {
        if (run.state === 'queued' && !this.#tryBegin(run)) break
      }
    } finally {
      this.#placing = false
    }
  }

  tick(nowMs: number): void {
    for (const run of this.active()) this.safely(run, () => run.tick(nowMs))
    this.place()
  }

  /** The process is gone, or another one has its name. */
  agentGone(agent: RegisteredAgent, state: 'lost' | 'fenced', note: string): void {
    for (const run of this.active()) this.safely(run, () => run.agentGone(agent, state, note))
  }

  operatorGone(connection: OperatorPeerConnection): void {
    this.#watchers.remove(connection)
    for (const run of this.#runs.values()) this.safely(run, () => run.operatorGone(connection))
  }

  /** A defect met while working on one run ends that run, with exit code 70, and no other. */
  safely(run: Run, work: () => void): void {
    try {
      work()
    } catch (error) {
      run.defect(error)
    }
  }

  /** @returns false when the runs behind this one must wait for it */
  #tryBegin(run: Run): boolean {
    const { clock, registry } = this.#options
    const candidates = registry.candidates()
    if (candidates.length < run.spec.agents) {
      const since = this.#shortSinceMs.get(run) ?? clock.monotonic()
      this.#shortSinceMs.set(run, since)
      const waitedMs = clock.monotonic() - since
      if (waitedMs >= run.spec.waitForAgentsMs) run.giveUp(4, this.#tooFew(run.spec))
      else run.wait(`waiting for ${run.spec.agents} agents: ${candidates.length} registered`)
      return true
    }
    this.#shortSinceMs.delete(run)
    const chosen = place(candidates, run.spec.agents)
    if (chosen === null) {
      const free = candidates.filter(({ busy, slots }) => busy < slots).length
      run.wait(`waiting for ${run.spec.agents} free agents: ${free} of ${candidates.length} free`)
      return false
    }
    this.safely(run, () => run.begin(chosen.map((id) => registry.get(id)!)))
    return true
  }

  async #check(spec: RunSpec): Promise<void> {
    const { bundles, registry } = this.#options
    checkScenarios(spec)
    checkThresholds(spec)
    if (totalUnits(spec.profile) > maxUsers) {
      throw new Refusal(
        'TOO_MANY_USERS',
        `a run has ${maxUsers} users at most over all its stages; use fewer`,
      )
    }
    if (this.active().length >= maxActive) {
      throw new Refusal(
        'TOO_MANY_RUNS',
        `${maxActive} runs are waiting or running; stop some or try later`,
        4,
      )
    }
    if (spec.bundle !== null && !(await bundles.has(spec.bundle))) {
      throw new Refusal('UNKNOWN_BUNDLE', `bundle ${spec.bundle} is not in store; send it first`)
    }
    if (spec.waitForAgentsMs === 0 && registry.candidates().length < spec.agents) {
      throw new Refusal('NOT_ENOUGH_AGENTS', this.#tooFew(spec), 4)
    }
  }

  #tooFew(spec: RunSpec): string {
    const names = this.#options.registry.candidates().map((candidate) => candidate.id)
    const are = names.length === 1 ? '1 is registered' : `${names.length} are registered`
    const list =
      names.length === 0
        ? ''
        : ` (${names.sort().slice(0, 20).join(', ')}${names.length > 20 ? ', ...' : ''})`
    return `asked for ${spec.agents} agents, ${are}${list}; start more agents or ask for fewer`
  }

  #onEnd(run: Run): void {
    this.#shortSinceMs.delete(run)
    this.#watchers.tell(run.row())
    // Its journal is closed first: what is removed then is not written any more.
    this.#pruning = run.suspend().then(() => this.prune())
    const ended = [...this.#runs.values()].filter((each) => each.ended)
    for (const oldest of ended.slice(0, Math.max(0, ended.length - maxEnded))) this.#runs.delete(oldest.id)
  }

  /** Sorts by time, is a file name, and is short enough to be typed. */
  #newId(): string {
    const stamp = new Date(this.#options.clock.now()).toISOString().replace(/[-:]/g, '').slice(0, 15)
    for (;;) {
      const id = `${stamp}-${randomBytes(3).toString('hex')}`
      if (!this.#runs.has(id)) return id
    }
  }
}

/** @throws {Refusal} NO_TESTS or BAD_SCENARIOS */
function checkScenarios({ profile, testRunner, tests }: RunSpec): void {
  const names = new Set<string>()
  const labels = new Set(tests.map((test) => test.label))
  for (const scenario of profile.scenarios) {
    const { name } = scenario
    if (names.has(name)) {
      throw new Refusal('BAD_SCENARIOS', `two scenarios have the name ${name}; give each a name of its own`)
    }
    names.add(name)
    if (testRunner !== null) continue
    if (tests.length === 0 || !scenario.tests.some((test) => test.weight > 0)) {
      throw new Refusal(
        'NO_TESTS',
        `there is nothing to run: scenario ${name} has no test of a weight above 0`,
      )
    }
    const unknown = scenario.tests.find((test) => !labels.has(test.label))
    if (unknown !== undefined) {
      throw new Refusal(
        'BAD_SCENARIOS',
        `scenario ${name} has the test ${unknown.label}, which the run has not`,
      )
    }
  }
}
