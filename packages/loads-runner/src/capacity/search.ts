/**
 * What a measured step says. `held`: the objective holds. `failed`: it does not. `limited`: the generator could not
 * make this load, so the target cannot be judged. `unclear`: too few samples to say, all that is known is fine.
 */
export type StepOutcome = 'held' | 'failed' | 'limited' | 'unclear'

/** Why a step is made: to find a load that fails, to look again at one that did, to come closer, to make sure. */
export type StepPurpose = 'grow' | 'again' | 'narrow' | 'hold'

/** The next thing to measure. */
export interface SearchStep {
  /** Executions per second, or users. */
  target: number
  purpose: StepPurpose
  /** Let the target recover at this load first; null: go on at once. */
  coolDown: number | null
}

export interface SearchOptions {
  /** The first load to try. */
  start: number
  /** Nothing below this is tried. */
  least: number
  /** Nothing above this is tried. */
  most: number
  /** How close to get: the distance of what holds and what fails, as a part of what fails. */
  tolerance: number
  /** Only whole numbers: users. */
  whole: boolean
  /** Give up after so many steps. Default 100. */
  mostSteps?: number
}

export interface Capacity {
  /** The highest load that held; null when none did. */
  target: number | null
  /** The lowest load above it that did not hold; null when none was found. */
  failsAt: number | null
  /** What ended the search: the target's own limit, the generator's, or the highest load that was allowed. */
  limit: 'target' | 'generator' | 'most' | 'unclear'
  /** It held once more at the end, for twice the time. */
  confirmed: boolean
}

/** Growth from one step to the next. */
const growth = 2
/** A target recovers at this part of the load that is to be measured. */
const coolPart = 0.25

/**
 * The search for the highest load that holds an objective: growth by doubling until it fails, bisection until what holds
 * and what fails are close, and a last look at the answer. A step that failed is made once more after a rest, and
 * counts only if it fails again: a single hiccup decides nothing. Pure: it is told what steps gave, and says the next.
 */
export class CapacitySearch {
  readonly #options: SearchOptions
  readonly #mostSteps: number
  /** Loads that held, ascending. */
  #held: number[] = []
  /** Loads without enough samples to say, below all that fail: the search does not go below them. */
  #unclear = 0
  #failed: { target: number; outcome: StepOutcome } | null = null
  #step: SearchStep
  /** What the step that is made again was for. */
  #repeated: StepPurpose = 'grow'
  #steps = 0
  #confirmed = false
  #over = false

  constructor(options: SearchOptions) {
    const { start, least, most, mostSteps = 100 } = options
    this.#options = options
    this.#mostSteps = mostSteps
    const first = this.#rounded(Math.min(most, Math.max(least, start)))
    this.#step = { target: first, purpose: 'grow', coolDown: null }
  }

  /** The step to make now; null when the answer is found. */
  get next(): SearchStep | null {
    return this.#over ? null : this.#step
  }

  /** What is known so far. */
  get answer(): Capacity {
    const target = this.#held.at(-1) ?? null
    return {
      target,
      failsAt: this.#failed?.target ?? null,
      limit: this.#limit(target),
      confirmed: this.#confirmed,
    }
  }

  /** Takes what the step that {@link next} named has given. */
  take(outcome: StepOutcome): void {
    if (this.#over) return
    const { target, purpose } = this.#step
    this.#steps++
    const isBad = outcome === 'failed' || outcome === 'limited'
    if (isBad && purpose !== 'again') {
      this.#repeated = purpose
      this.#make(target, 'again', true)
    } else this.#judge(outcome)
    if (this.#steps >= this.#mostSteps) this.#over = true
  }

  #judge(outcome: StepOutcome): void {
    const { target, purpose } = this.#step
    if (outcome === 'held') {
      if (!this.#held.includes(target)) this.#held.push(target)
      return this.#afterHeld(purpose === 'again' ? this.#repeated : purpose)
    }
    if (outcome === 'unclear' && this.#failed === null) {
      this.#unclear = target
      if (target < this.#options.most) return this.#make(this.#grown(target), 'grow', false)
    }
    this.#held = this.#held.filter((each) => each < target)
    this.#failed = { target, outcome }
    this.#narrow(true)
  }

  #afterHeld(purpose: StepPurpose): void {
    if (purpose === 'hold') {
      this.#confirmed = true
      this.#over = true
      return
    }
    if (this.#failed !== null) return this.#narrow(false)
    const target = this.#held.at(-1)!
    if (target >= this.#options.most) return this.#make(target, 'hold', false)
    this.#make(this.#grown(target), 'grow', false)
  }

  /** Something has failed: between that and the highest that held, or downwards while nothing has. */
  #narrow(coolDown: boolean): void {
    const failed = this.#failed!.target
    const { least, tolerance, whole } = this.#options
    const held = this.#held.at(-1)
    if (held === undefined) {
      if (failed <= least) return void (this.#over = true)
      // Below an unclear load there are fewer samples still.
      const below =
        this.#unclear > 0 && this.#unclear < failed ? Math.sqrt(this.#unclear * failed) : failed / growth
      const next = this.#rounded(Math.max(least, Math.min(below, failed / (1 + tolerance))))
      if (next >= failed || next <= this.#unclear) return void (this.#over = true)
      return this.#make(next, 'narrow', coolDown)
    }
    const isClose = failed - held <= Math.max(tolerance * failed, whole ? 1 : 0)
    const middle = this.#rounded((held + failed) / 2)
    if (isClose || middle <= held || middle >= failed) return this.#make(held, 'hold', coolDown)
    this.#make(middle, 'narrow', coolDown)
  }

  #make(target: number, purpose: StepPurpose, coolDown: boolean): void {
    const rest = this.#rounded(Math.max(this.#options.least, target * coolPart))
    this.#step = { target, purpose, coolDown: coolDown && rest < target ? rest : null }
  }

  #grown(target: number): number {
    return this.#rounded(Math.min(this.#options.most, target * growth))
  }

  #rounded(target: number): number {
    const { whole, least, most } = this.#options
    // No rate is kept more exactly than that.
    const digits = whole ? Math.round(target) : Number(target.toPrecision(4))
    return Math.min(most, Math.max(least, digits))
  }

  #limit(target: number | null): Capacity['limit'] {
    if (this.#failed === null) return target === null ? 'unclear' : 'most'
    if (this.#failed.outcome === 'limited') return 'generator'
    return this.#failed.outcome === 'unclear' ? 'unclear' : 'target'
  }
}
