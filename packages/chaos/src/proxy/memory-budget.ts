/** Bytes that all connections of a process may hold together. Beyond it each link has only what it cannot do without. */
export class MemoryBudget {
  readonly limit: number
  #held = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** @param bytes negative: given back */
  add(bytes: number): void {
    this.#held += bytes
  }

  get held(): number {
    return this.#held
  }

  get isUsedUp(): boolean {
    return this.#held >= this.limit
  }
}

/** That of this process: 512 MiB. */
export const processBudget = new MemoryBudget(512 * 1024 * 1024)
