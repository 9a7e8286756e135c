import type { ObservationEvent } from '@loads-runner/protocol'
import type { RunModel } from './model.ts'

/** Names, and values of one name: two hours of one each two seconds. More are thinned out. */
const mostNames = 200
const mostValues = 3_600

interface Line {
  fromMs: number[]
  value: number[]
  /** Where the next update begins. */
  changed: number
}

/** Figures of the target over the time of a run. */
export class ObservedValues {
  readonly #lines = new Map<string, Line>()

  take({ elapsedMs, values }: ObservationEvent): void {
    for (const [name, value] of Object.entries(values)) {
      let line = this.#lines.get(name)
      if (line === undefined) {
        if (this.#lines.size >= mostNames) continue
        this.#lines.set(name, (line = { fromMs: [], value: [], changed: 0 }))
      }
      // Of two that were told at once the latter counts; clocks do not go back.
      const last = line.fromMs.at(-1) ?? -1
      if (elapsedMs <= last) {
        if (elapsedMs === last) line.value[line.value.length - 1] = value
        line.changed = Math.min(line.changed, line.fromMs.length - 1)
        continue
      }
      line.fromMs.push(elapsedMs)
      line.value.push(value)
      if (line.fromMs.length > mostValues) thin(line)
    }
  }

  all(): RunModel['observed'] {
    return this.#from(() => 0)
  }

  /** What is new since the call before; null when nothing is. */
  update(): RunModel['observed'] | null {
    const news = this.#from(({ changed }) => changed)
    for (const line of this.#lines.values()) line.changed = line.fromMs.length
    return Object.keys(news).length === 0 ? null : news
  }

  #from(start: (line: Line) => number): RunModel['observed'] {
    const news = [...this.#lines].flatMap(([name, line]) => {
      const from = start(line)
      if (from >= line.fromMs.length) return []
      return [[name, { fromMs: line.fromMs.slice(from), value: line.value.slice(from) }] as const]
    })
    // fromEntries: a name may be `__proto__`, which an assignment would swallow.
    return Object.fromEntries(news)
  }
}

/** Every other one; the first stays, so that an update from it on replaces all. */
function thin(line: Line): void {
  line.fromMs = line.fromMs.filter((_, index) => index % 2 === 0)
  line.value = line.value.filter((_, index) => index % 2 === 0)
  line.changed = 0
}
