import { isUsageError } from '../errors.ts'
import { describe } from '../option-table.ts'
import type { OptionSource } from '../option-table.ts'
import { loadKeys, loadOptions } from '../options/load.ts'
import type { LoadKey, LoadSettings } from '../options/load.ts'

/** A place that options of load were read from. Other options may be in it too. */
export interface LoadLayer {
  source: OptionSource
  values: {
    has(key: LoadKey): boolean
    get(key: LoadKey): readonly string[] | undefined
  }
  nameOf?(key: LoadKey): string
}

/** Options of load, read from several places: whole options at a time, the nearest place wins. */
export class GivenLoad {
  readonly settings: LoadSettings
  readonly #places = new Map<LoadKey, { rank: number; name: string }>()

  /**
   * @param layers the nearest last
   * @param problems values that cannot be read are added here
   */
  constructor(layers: readonly LoadLayer[], problems: string[]) {
    const settings: Record<string, unknown> = {}
    for (const key of loadKeys) {
      settings[key] = loadOptions[key].initial
      for (const [rank, layer] of layers.entries()) {
        const texts = layer.values.get(key)
        if (texts === undefined) continue
        const name = layer.nameOf?.(key) ?? describe(key, layer.source)
        const value = read(key, texts, name, problems)
        if (value === unreadable) continue
        settings[key] = value
        this.#places.set(key, { rank, name })
      }
    }
    this.settings = settings as unknown as LoadSettings
  }

  /** It was given, and nothing nearer contradicts it. */
  has(key: LoadKey): boolean {
    return this.#places.has(key)
  }

  /** Higher is nearer; -1 when it was not given. */
  rank(key: LoadKey): number {
    return this.#places.get(key)?.rank ?? -1
  }

  /** How the option is called where it was given: `--rate`, `LOADS_RATE`, `"rate" of scenario "login"`. */
  name(key: LoadKey): string {
    return this.#places.get(key)?.name ?? describe(key, 'command line')
  }

  /** Something nearer contradicts it. */
  drop(key: LoadKey): void {
    this.#places.delete(key)
    ;(this.settings as unknown as Record<string, unknown>)[key] = loadOptions[key].initial
  }
}

const unreadable = Symbol('unreadable')

function read(key: LoadKey, texts: readonly string[], name: string, problems: string[]): unknown {
  const row = loadOptions[key]
  try {
    return texts.reduce<unknown>((previous, text) => row.parse(text, previous as never), row.initial)
  } catch (error) {
    if (!isUsageError(error)) throw error
    problems.push(`${name}: ${error.message}`)
    return unreadable
  }
}
