const messages = new Set(['message', 'pmessage', 'smessage'])
const confirmations = new Set([
  'subscribe',
  'unsubscribe',
  'psubscribe',
  'punsubscribe',
  'ssubscribe',
  'sunsubscribe',
])

/** What a client listens to, as the server's confirmations say: each tells how many subscriptions there are now. */
export class RedisSubscriptions {
  #channels = 0
  #patterns = 0
  #shards = 0

  get isEmpty(): boolean {
    return this.#channels + this.#patterns + this.#shards === 0
  }

  static isMessage(word: string): boolean {
    return messages.has(word)
  }

  static isConfirmation(word: string): boolean {
    return confirmations.has(word)
  }

  /** Takes a confirmation with the number in it: of channels and patterns together, or of shard channels. */
  confirmed(word: string, number: number): void {
    if (word.startsWith('s') && word !== 'subscribe') this.#shards = number
    else if (word.startsWith('p')) this.#patterns = Math.max(0, number - this.#channels)
    else this.#channels = Math.max(0, number - this.#patterns)
  }

  /**
   * How many confirmations a command gets: one for each channel; an unsubscription without names one for each channel that
   * there was, or a single one when there was none.
   *
   * @param names number of channels or patterns that are named
   */
  expected(word: string, names: number): number {
    if (names > 0) return names
    if (word === 'unsubscribe') return Math.max(1, this.#channels)
    if (word === 'punsubscribe') return Math.max(1, this.#patterns)
    return Math.max(1, this.#shards)
  }

  clear(): void {
    this.#channels = 0
    this.#patterns = 0
    this.#shards = 0
  }
}
