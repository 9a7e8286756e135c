import type { ControlChange, ExternallyControlled, RunStage } from '@loads-runner/testcase/load'
import { Refusal } from './errors.ts'

/** A change takes effect so long after it was asked for, in milliseconds: time for it to reach every agent. */
const leadMs = 300
/** Changes of one stage. All of them are needed: they say which start of an open model is made when, and by whom. */
const maxChanges = 5_000

/** What an operator asks for; what is null stays as it is. */
export interface ControlRequest {
  /** Null: the only one that is controlled. */
  scenario: string | null
  target: number | null
  paused: boolean | null
}

/** A stage that is under way. */
export interface RunningStage {
  stage: RunStage
  /** When its load began or begins, by the monotonic clock. */
  beginMs: number
}

export interface Controlled {
  stage: RunStage
  changes: readonly ControlChange[]
  /** What holds from the last change on. */
  target: number
  paused: boolean
}

type ControlledStage = RunStage & { model: ExternallyControlled }

/** What operators have asked of the externally controlled stages of one run. */
export class Controls {
  readonly #runId: string
  /** By the number of the stage. */
  readonly #changes = new Map<number, ControlChange[]>()

  constructor(runId: string) {
    this.#runId = runId
  }

  /** All changes of a stage so far, in order. */
  of(stage: number): readonly ControlChange[] {
    return this.#changes.get(stage) ?? []
  }

  /** The stage is over. */
  forget(stage: number): void {
    this.#changes.delete(stage)
  }

  /**
   * Adds a change, unless all is so already.
   *
   * @param running the stages that are under way
   * @throws {Refusal} NOT_CONTROLLED, SEVERAL_SCENARIOS, BAD_TARGET or TOO_MANY_CHANGES
   */
  change(
    request: ControlRequest,
    running: readonly RunningStage[],
    nowMs: number,
  ): Controlled & { isNew: boolean } {
    const { stage, beginMs } = this.#choose(request.scenario, running)
    const changes = this.#changes.get(stage.number) ?? []
    const last = changes.at(-1)
    const before = { target: last?.target ?? stage.model.start, paused: last?.paused ?? false }
    const target = request.target ?? before.target
    const paused = request.paused ?? before.paused
    checkTarget(stage, target)
    const isNew = target !== before.target || paused !== before.paused
    if (isNew) {
      const atMs = Math.max(0, nowMs - beginMs + leadMs)
      // What would hold for no time at all need not be said.
      if (last !== undefined && last.atMs >= atMs) changes.pop()
      if (changes.length >= maxChanges) {
        throw new Refusal(
          'TOO_MANY_CHANGES',
          `${stage.scenario.name} has been changed ${maxChanges} times, which is the most for one stage`,
        )
      }
      changes.push({ atMs, target, paused })
      this.#changes.set(stage.number, changes)
    }
    return { stage, changes, target, paused, isNew }
  }

  #choose(
    scenario: string | null,
    running: readonly RunningStage[],
  ): { stage: ControlledStage; beginMs: number } {
    const controlled: { stage: ControlledStage; beginMs: number }[] = []
    for (const { stage, beginMs } of running) {
      if (isControlled(stage)) controlled.push({ stage, beginMs })
    }
    const names = controlled.map(({ stage }) => stage.scenario.name)
    const list =
      names.length === 0 ? 'none of its scenarios is, at present' : `these are: ${names.join(', ')}`
    if (scenario !== null) {
      const named = controlled.find(({ stage }) => stage.scenario.name === scenario)
      if (named !== undefined) return named
      throw new Refusal(
        'NOT_CONTROLLED',
        `scenario ${scenario} of run ${this.#runId} is not under way with an externally controlled load; ${list}`,
      )
    }
    if (controlled.length === 1) return controlled[0]!
    if (controlled.length > 1) {
      throw new Refusal(
        'SEVERAL_SCENARIOS',
        `run ${this.#runId} has ${names.length} externally controlled scenarios, name one: ${names.join(', ')}`,
      )
    }
    throw new Refusal(
      'NOT_CONTROLLED',
      `no scenario of run ${this.#runId} is under way with an externally controlled load; ` +
        'only such a load can be changed, paused and resumed',
    )
  }
}

function isControlled(stage: RunStage): stage is ControlledStage {
  return stage.model.type === 'externally-controlled'
}

function checkTarget({ scenario, model }: ControlledStage, target: number): void {
  const refuse = (why: string) => {
    throw new Refusal('BAD_TARGET', `${scenario.name} cannot have ${describe(model, target)}: ${why}`)
  }
  if (!Number.isFinite(target) || target < 0) refuse('a number from 0 on is needed')
  if (model.controls === 'rate') return
  if (!Number.isInteger(target)) refuse('users are whole')
  if (target > model.users) refuse(`the scenario has ${model.users} users at most`)
}

function describe(model: ExternallyControlled, target: number): string {
  return model.controls === 'users' ? `${target} users` : `a rate of ${target}/s`
}
