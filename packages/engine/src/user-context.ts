import {
  createRandom,
  InterruptedError,
  type FeedSource,
  type Random,
  type Tags,
  type UserContext,
} from '@loads-runner/testcase'
import type { UserSurroundings } from './load-user.ts'
import type { StageTest, StageView } from './stage-view.ts'
import type { UserMeter } from './user-meter.ts'

/** The context of one instance. What costs something is made when first asked for. */
export class EngineContext implements UserContext {
  readonly user: number
  readonly scenario: string
  readonly run: UserContext['run']
  readonly meter: UserMeter
  readonly target: UserContext['target']
  readonly directory: string
  readonly feeds: FeedSource
  iteration = 0
  ordinal = 0
  tags: Tags | null = null
  params: Readonly<Record<string, string>> = {}
  readonly #around: UserSurroundings
  readonly #numbered: boolean
  #random: Random | null = null
  #abort: AbortController | null = null
  #aborted = false

  constructor(around: UserSurroundings, view: StageView, user: number, meter: UserMeter, test: StageTest) {
    const { spec, runId, agent, directory } = around.setup
    this.#around = around
    this.user = user
    this.scenario = view.run.scenario.name
    this.meter = meter
    this.target = spec.target
    this.directory = directory
    this.feeds = around.feeds
    this.#numbered = view.numbered
    this.run = { id: runId, seed: spec.seed, agent, data: around.runData[test.classKey] ?? null }
  }

  get executionId(): string {
    if (this.#numbered) return `${this.scenario}/${this.ordinal}`
    return `${this.scenario}/${this.user}/${this.iteration}`
  }

  get random(): Random {
    return (this.#random ??= createRandom(this.run.seed, this.executionId))
  }

  set random(value: Random) {
    this.#random = value
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.#aborted) this.#abort.abort(interruption())
    }
    return this.#abort.signal
  }

  annotate(text: string, tags: Tags): void {
    this.#around.annotate(text, tags)
  }

  begin(iteration: number, ordinal: number, test: StageTest): void {
    this.iteration = iteration
    this.ordinal = ordinal
    this.tags = test.tags
    this.params = test.params
    this.#random = null
    if (this.#aborted) this.renewSignal()
  }

  abort(): void {
    this.#aborted = true
    this.#abort?.abort(interruption())
  }

  renewSignal(): void {
    if (!this.#aborted) return
    this.#aborted = false
    this.#abort = null
  }
}

function interruption(): InterruptedError {
  return new InterruptedError('cut by the end of the run')
}
