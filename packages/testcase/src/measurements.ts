import { Assertions } from './assertions.ts'
import { InterruptedError } from './errors.ts'
import { measureCall } from './measured-call.ts'
import type { Tags } from './meter.ts'
import { isPromiseLike, type Step } from './scopes.ts'
import { checkedTags } from './tags.ts'
import { contextOf, scopesOf } from './user-link.ts'

/** What a check looks at: whether something holds, or a function that says so. */
export type Condition = boolean | (() => boolean | PromiseLike<boolean>)

/** What a test records beyond its hits: checks, steps, tags, calls of any client, and figures of its own. */
export class Measurements extends Assertions {
  /**
   * Counts whether something holds, and goes on in either case: never throws. A function that throws or rejects counts
   * as a check that failed. Returns whether it held, or a promise of that for an async function.
   *
   *     this.check('status is 200', answer.status === 200)
   *     if (!this.check('has items', () => answer.json().items.length > 0)) return
   *
   * In a run checks are counted and reported by name, and do not fail the execution. A test that mocha runs fails at
   * its end if one of its checks did.
   */
  check(name: string, condition: boolean | (() => boolean)): boolean
  check(name: string, condition: () => PromiseLike<boolean>): Promise<boolean>
  check(name: string, condition: Condition): boolean | Promise<boolean>
  check(name: string, condition: Condition): boolean | Promise<boolean> {
    if (typeof condition !== 'function') return this.#checked(name, condition)
    try {
      const held = condition()
      if (!isPromiseLike(held)) return this.#checked(name, held)
      return Promise.resolve(held).then(
        (value) => this.#checked(name, value),
        (error: unknown) => this.#broken(name, error),
      )
    } catch (error) {
      return this.#broken(name, error)
    }
  }

  /**
   * Several checks at once: `this.checks({ 'status is 200': answer.status === 200, 'is short': () => ... })`. Whether
   * all of them held; a promise of that where a function is async.
   */
  checks(conditions: Readonly<Record<string, boolean | (() => boolean)>>): boolean
  checks(conditions: Readonly<Record<string, Condition>>): boolean | Promise<boolean>
  checks(conditions: Readonly<Record<string, Condition>>): boolean | Promise<boolean> {
    let all = true
    const pending: Promise<boolean>[] = []
    for (const [name, condition] of Object.entries(conditions)) {
      const held = this.check(name, condition)
      if (typeof held === 'boolean') all = held && all
      else pending.push(held)
    }
    if (pending.length === 0) return all
    return Promise.all(pending).then((held) => all && held.every(Boolean))
  }

  /**
   * Runs some actions as a step and records how long it took, also when it throws. Steps in steps are named after both:
   * `checkout / pay`. Returns what the action returned.
   *
   *     const order = await this.step('checkout', async () => {
   *       await this.step('pay', () => this.session.post('/pay'))
   *       return (await this.session.get('/order')).json()
   *     })
   *
   * A step belongs to its user, not to a branch of `Promise.all`: steps side by side are started from the step around
   * them, `this.step('page', (page) => Promise.all([page.step('a', ...), page.step('b', ...)]))`.
   *
   * @throws {UsageError} a step that overlaps another, or is the 17th inside of others
   */
  step<T>(name: string, action: (step: Step) => T): T {
    return scopesOf(this).step(name, action)
  }

  /**
   * Runs some actions with tags on all that is recorded in them (hits, checks, steps, figures of connections), over the
   * tags of the class and of the scenario. Returns what the action returned.
   *
   *     await this.tagged({ page: 'home' }, async () => {
   *       await this.session.get('/')
   *     })
   *
   * Tags belong to the user, not to a branch of `Promise.all`: requests that go on side by side with tags of their own
   * take them as an option, `this.session.get('/', { tags: { page: 'home' } })`. A hit has the tags of the moment in
   * which it ends.
   *
   * @param tags few words from a small set, never ids: each combination is a series
   * @throws {UsageError} tags that are no words, that overlap others, or the 17th inside of others
   */
  tagged<T>(tags: Tags, action: () => T): T {
    return scopesOf(this).tagged(tags, action)
  }

  /**
   * Makes one hit of any action, for clients that Loads does not know: its time, and `ok` or the class, code or name of
   * the error as its status. What it throws is thrown on. HTTP requests inside are not hits of their own in a class
   * with `static instrument`; those of `this.session` are.
   *
   *     const rows = await this.measure('select users', () => pool.query('select * from users'))
   *
   * @param name names the series: of a small set, never with ids
   */
  measure<T>(
    name: string,
    action: () => T | PromiseLike<T>,
    options: { readonly tags?: Tags } = {},
  ): Promise<T> {
    const tags = options.tags === undefined ? null : checkedTags(options.tags, `this.measure('${name}')`)
    return measureCall(contextOf(this), name, action, tags)
  }

  /** Adds to a counter of the run. */
  incrCounter(name: string, amount = 1): void {
    contextOf(this).meter.count(name, amount)
  }

  /** Sets a gauge of the run; the latest value counts. */
  setGauge(name: string, value: number): void {
    contextOf(this).meter.gauge(name, value)
  }

  /** Adds a duration, in milliseconds, to a timing of the run. */
  recordTiming(name: string, millis: number): void {
    contextOf(this).meter.timing(name, millis)
  }

  /** Runs an action and records how long it took as a timing of the run, also when it throws. */
  async time<T>(name: string, action: () => T | PromiseLike<T>): Promise<T> {
    const startedAt = performance.now()
    try {
      return await action()
    } finally {
      this.recordTiming(name, performance.now() - startedAt)
    }
  }

  #checked(name: string, held: unknown): boolean {
    const ok = Boolean(held)
    contextOf(this).meter.check(name, ok)
    return ok
  }

  /** A check that was cut by the end of the run says nothing about the target. */
  #broken(name: string, error: unknown): false {
    if (!(error instanceof InterruptedError)) this.#checked(name, false)
    return false
  }
}
