/** Headers of an answer, as they came. Names are found whatever their case; read-only. */
export class ResponseHeaders implements Iterable<[name: string, value: string]> {
  readonly #raw: readonly Buffer[]

  /** @param raw names and values in turn */
  constructor(raw: readonly Buffer[]) {
    this.#raw = raw
  }

  /** The value; several of one name joined by a comma; null without. */
  get(name: string): string | null {
    const values = this.getAll(name)
    return values.length === 0 ? null : values.join(', ')
  }

  getAll(name: string): string[] {
    const wanted = name.toLowerCase()
    const values: string[] = []
    for (let index = 0; index < this.#raw.length; index += 2) {
      const key = this.#raw[index]!
      if (key.length === wanted.length && key.toString('latin1').toLowerCase() === wanted) {
        values.push(this.#raw[index + 1]!.toString('latin1'))
      }
    }
    return values
  }

  has(name: string): boolean {
    return this.getAll(name).length > 0
  }

  getSetCookie(): string[] {
    return this.getAll('set-cookie')
  }

  *[Symbol.iterator](): Iterator<[name: string, value: string]> {
    for (let index = 0; index < this.#raw.length; index += 2) {
      yield [this.#raw[index]!.toString('latin1').toLowerCase(), this.#raw[index + 1]!.toString('latin1')]
    }
  }

  /** Names in lower case with their (joined) values. */
  toJSON(): Record<string, string> {
    const all: Record<string, string> = {}
    for (const [name] of this) all[name] ??= this.get(name)!
    return all
  }
}
