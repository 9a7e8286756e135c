import { FloodGate } from '@loads-runner/metrics'
import type { Tags } from '@loads-runner/testcase'

/** Notes that a session publishes in a second; so many of each of its load threads get as far as the session. */
const notesPerSecond = 20
/** Characters of a note that are kept, and of a tag's name and value. */
const maxTextLength = 500
const maxTagLength = 200
const maxTags = 20

/** What tests say of moments of the run, on its way out: cut to its limits, and never a flood. */
export class Notes {
  readonly #publish: (text: string, tags: Tags) => void
  readonly #onLeftOut: (count: number) => void
  readonly #gate = new FloodGate(notesPerSecond)

  /** @param onLeftOut told of notes that were not published, by {@link tell} */
  constructor(publish: (text: string, tags: Tags) => void, onLeftOut: (count: number) => void) {
    this.#publish = publish
    this.#onLeftOut = onLeftOut
  }

  take(text: string, tags: Tags): void {
    if (!this.#gate.passes(performance.now())) return
    const words = Object.entries(tags)
      .slice(0, maxTags)
      .map(([name, value]) => [cut(name, maxTagLength), cut(value, maxTagLength)])
    this.#publish(cut(text, maxTextLength), Object.fromEntries(words) as Tags)
  }

  /** So many did not get here. */
  leaveOut(count: number): void {
    this.#gate.leaveOut(count, performance.now())
  }

  /** Tells how many were left out, once a second at most. @param now performance.now(); Infinity: nothing follows */
  tell(now: number): void {
    const count = this.#gate.leftOut(now)
    if (count > 0) this.#onLeftOut(count)
  }
}

/** For the log of the run. */
export function notesLeftOut(count: number): string {
  const what = count === 1 ? '1 note was' : `${count} notes were`
  return `${what} left out: annotate() publishes ${notesPerSecond} per second at most`
}

/** Ends with three dots where something is missing, and never within a pair of surrogates. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text
  return `${text.slice(0, most - 3).replace(/[\uD800-\uDBFF]$/, '')}...`
}
