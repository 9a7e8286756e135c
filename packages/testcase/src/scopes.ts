import type { UserContext } from './context.ts'
import { UsageError } from './errors.ts'
import type { Tags } from './meter.ts'
import { checkedTags, mergeTags } from './tags.ts'

/** Steps within steps, and tags within tags: more is a recursion by mistake, and a series for each level. */
const deepest = 16

/** A step that is running, for steps inside it that go on side by side. */
export interface Step {
  /** With the names of the steps around it: `checkout / pay`. */
  readonly name: string
  /**
   * A step inside this one, whatever else runs at the same time:
   *
   *     await this.step('load page', (page) =>
   *       Promise.all([page.step('styles', () => ...), page.step('pictures', () => ...)]))
   */
  step<T>(name: string, action: (step: Step) => T): T
}

/** What was entered and not left yet. */
interface Scope {
  /** What messages call it. */
  readonly what: string
  /** Name of the step it is (in); '' outside of steps. */
  readonly path: string
  readonly depth: number
  readonly parent: Scope | null
  /** The tags to go back to. */
  readonly tagsBefore: Tags | null
  /** The turn in which its action returned a promise: whoever enters another scope in it did not wait. -1: none yet. */
  handedBackIn: number
}

/**
 * The steps and tags that a user is in.
 *
 * They belong to the user, not to the asynchronous call chain: Node's AsyncLocalStorage would tell branches that run
 * side by side apart, but on Node 20 its promise hooks make every await of every user of the thread about three times as slow
 * (35 to 105 ns, benchmark/scopes.bench.ts), and a hit is recorded from the callback of a socket, where it shows nothing anyway. So
 * branches that overlap are refused where they can be seen, instead of mixed up: such steps go through the step around
 * them ({@link Step.step}), such tags into the options of each request.
 */
export class Scopes {
  readonly #context: UserContext
  #current: Scope | null = null
  /** Grows with each turn of the event loop's microtasks in which a scope was entered. */
  #turn = 0
  #turnIsMarked = false
  readonly #endTurn = () => {
    this.#turn++
    this.#turnIsMarked = false
  }

  constructor(context: UserContext) {
    this.#context = context
  }

  /** Runs an action as a step inside the current one. */
  step<T>(name: string, action: (step: Step) => T): T {
    checkName(name)
    const path = joined(this.#current?.path ?? '', name)
    const scope = this.#enter(`step "${name}"`, path, this.#context.tags)
    return this.#within(scope, () => this.#timed(path, scope.depth, action))
  }

  /** Runs an action with these tags over those before. */
  tagged<T>(tags: Tags, action: () => T): T {
    const before = this.#context.tags
    const scope = this.#enter('tagged()', this.#current?.path ?? '', before)
    try {
      this.#context.tags = mergeTags(before, checkedTags(tags, 'this.tagged()'))
    } catch (error) {
      this.#current = scope.parent
      throw error
    }
    return this.#within(scope, action)
  }

  /** Leaves everything: an execution that was cut has left its scopes open. */
  reset(): void {
    let scope = this.#current
    if (scope === null) return
    while (scope.parent !== null) scope = scope.parent
    this.#context.tags = scope.tagsBefore
    this.#current = null
  }

  /** Times an action, also one that throws or is rejected. */
  #timed<T>(path: string, depth: number, action: (step: Step) => T): T {
    const { meter } = this.#context
    const step: Step = {
      name: path,
      step: (name, inner) => {
        checkName(name)
        if (depth >= deepest) throw tooDeep(`step "${name}"`)
        return this.#timed(joined(path, name), depth + 1, inner)
      },
    }
    const startedAt = performance.now()
    return afterwards(
      () => action(step),
      () => meter.step(path, performance.now() - startedAt),
    )
  }

  #enter(what: string, path: string, tagsBefore: Tags | null): Scope {
    const parent = this.#current
    if (parent?.handedBackIn === this.#turn) throw sideBySide(what, parent)
    const depth = (parent?.depth ?? 0) + 1
    if (depth > deepest) throw tooDeep(what)
    return (this.#current = { what, path, depth, parent, tagsBefore, handedBackIn: -1 })
  }

  #within<T>(scope: Scope, action: () => T): T {
    // Queued before anything that the action queues, so none of the action sees the turn that it was called in.
    if (!this.#turnIsMarked) {
      this.#turnIsMarked = true
      queueMicrotask(this.#endTurn)
    }
    const result = afterwards(action, () => {
      const overlapped = this.#leave(scope)
      if (overlapped !== null) throw sideBySide(overlapped.what, scope)
    })
    if (isPromiseLike(result)) scope.handedBackIn = this.#turn
    return result
  }

  /** Null where the scope was the current one, or has been left with its execution; else one that overlaps it. */
  #leave(scope: Scope): Scope | null {
    if (!this.#isOpen(scope)) return null
    const current = this.#current!
    this.#current = scope.parent
    this.#context.tags = scope.tagsBefore
    return current === scope ? null : current
  }

  #isOpen(scope: Scope): boolean {
    for (let each = this.#current; each !== null; each = each.parent) if (each === scope) return true
    return false
  }
}

/**
 * Runs an action and then `last`, when the action is over in whatever way. What the action threw goes before what `last`
 * throws.
 */
function afterwards<T>(action: () => T, last: () => void): T {
  let result: T
  try {
    result = action()
  } catch (error) {
    attempt(last)
    throw error
  }
  if (!isPromiseLike(result)) {
    last()
    return result
  }
  return result.then(
    (value: unknown) => {
      last()
      return value
    },
    (error: unknown) => {
      attempt(last)
      throw error
    },
  ) as T
}

function attempt(last: () => void): void {
  try {
    last()
  } catch {
    // What the action threw says more.
  }
}

export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}

function joined(outer: string, name: string): string {
  return outer === '' ? name : `${outer} / ${name}`
}

function checkName(name: unknown): void {
  if (typeof name !== 'string' || name === '') {
    throw new UsageError(`this.step(${JSON.stringify(name) ?? String(name)}): a step needs a name of its own`)
  }
}

function tooDeep(what: string): UsageError {
  return new UsageError(
    `${what} is ${deepest + 1} steps and tags deep, and ${deepest} are the most: does it call itself? ` +
      'A step that is repeated is one name, recorded each time.',
  )
}

function sideBySide(what: string, other: Scope): UsageError {
  return new UsageError(
    `${what} and ${other.what} run at the same time, so nothing tells which of them a hit belongs to. Await one ` +
      'before the next; or, for steps, start them from the step around them: this.step("all", (all) => ' +
      'Promise.all([all.step("a", ...), all.step("b", ...)])); for tags, give each request the option "tags".',
  )
}
