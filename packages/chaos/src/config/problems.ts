import { ChaosError } from '../errors.ts'
import { nearestOf } from './nearest.ts'

/** All that is wrong with a file: told at once, each with its place. */
export class Problems {
  readonly #list: string[] = []

  get count(): number {
    return this.#list.length
  }

  /** In the order of the file. */
  get list(): readonly string[] {
    return this.#list.toSorted((one, other) => lineOf(one) - lineOf(other))
  }

  /** @param place `proxies.yaml:12:3` */
  add(place: string, text: string): void {
    const problem = `${place}: ${onOneLine(text)}`
    if (!this.#list.includes(problem)) this.#list.push(problem)
  }

  /** `unknown key slep of delay: did you mean sleep? It has sleep, when` */
  addUnknown(place: string, key: string, whose: string, known: readonly string[]): void {
    const near = nearestOf(key, known)
    const hint = near === null ? `; it has ${known.join(', ')}` : `: did you mean ${near}?`
    this.add(place, `unknown key ${key} of ${whose}${hint}`)
  }

  /** @throws {ChaosError} CHAOS_CONFIG, one line for each problem */
  throwIfAny(): void {
    if (this.#list.length > 0) throw new ChaosError('CHAOS_CONFIG', this.list.join('\n'))
  }
}

/** Keys are repeated as they were written: a line break in one would end the line of its problem. */
function onOneLine(text: string): string {
  return text.replaceAll(
    /\p{Cc}|[\u2028\u2029]/gu,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function lineOf(problem: string): number {
  const [, line, column] = /:(\d+):(\d+): /.exec(problem) ?? []
  return Number(line) * 100_000 + Number(column)
}
