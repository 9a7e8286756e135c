import { faultScope, type FaultScope } from './fault-scope.ts'

/** What is taken down. */
export interface Downable {
  isEnabled(): boolean | Promise<boolean>
  enable(): Promise<unknown>
  disable(): Promise<unknown>
}

/**
 * Scopes in which a proxy is down, in any order: it is disabled once, and enabled when the last one ends, unless it was down
 * before the first. Whoever calls lets one call come after the other.
 */
export class DownScopes {
  readonly #proxy: Downable
  #open = 0
  #wasEnabled = false

  constructor(proxy: Downable) {
    this.#proxy = proxy
  }

  async begin(): Promise<FaultScope> {
    if (this.#open === 0) {
      this.#wasEnabled = await this.#proxy.isEnabled()
      if (this.#wasEnabled) await this.#proxy.disable()
    }
    this.#open++
    return faultScope(async () => {
      if (this.#open === 1 && this.#wasEnabled) await this.#proxy.enable()
      this.#open--
    })
  }
}
