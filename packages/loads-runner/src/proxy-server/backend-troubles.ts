import type { ChaosEvent } from '@loads-runner/chaos'

/** Says once when a backend is not reached any more, and once when it is again: clients see an end without a reason. */
export class BackendTroubles {
  readonly #failures = new Map<string, number>()
  readonly #backendOf: (proxy: string) => string

  constructor(backendOf: (proxy: string) => string) {
    this.#backendOf = backendOf
  }

  /** @returns what is new; null: nothing */
  take(event: ChaosEvent): { level: 'warning' | 'info'; text: string } | null {
    if (event.type !== 'dial') return null
    const { proxy, error } = event
    const before = this.#failures.get(proxy) ?? 0
    if (error !== null) {
      this.#failures.set(proxy, before + 1)
      if (before > 0) return null
      const backend = this.#backendOf(proxy)
      return {
        level: 'warning',
        text: `proxy ${proxy}: its backend ${backend} cannot be reached (${error}), so clients are closed`,
      }
    }
    if (before === 0) return null
    this.#failures.delete(proxy)
    return { level: 'info', text: `proxy ${proxy}: its backend is reached again, after ${before} failures` }
  }
}
