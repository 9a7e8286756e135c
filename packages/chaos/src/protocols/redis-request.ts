import type { RequestHead } from './protocol.ts'
import { firstKey, hasSubcommand } from './redis-keys.ts'

export interface RedisRequestState {
  /** Within MULTI: it is queued, not executed. */
  isQueued: boolean
  /** CLIENT REPLY says that nothing is answered. */
  isSilent: boolean
}

const plain: RequestHead['detail'] = { queued: false }
const queued: RequestHead['detail'] = { queued: true }

/** A command. Its words are Latin-1 as they came, and decoded when somebody asks. */
export class RedisRequest implements RequestHead {
  /** Null: an empty line, which the server ignores. */
  readonly verb: string | null
  readonly replies: 0 | 1
  readonly detail: RequestHead['detail']
  /** Words of the command, itself included. */
  readonly length: number
  readonly #words: readonly string[]

  /**
   * @param words the first ones, themselves cut where they are long
   * @param length of all words
   */
  constructor(words: readonly string[], length: number, { isQueued, isSilent }: RedisRequestState) {
    this.#words = words
    this.length = length
    this.verb = length === 0 ? null : (words[0] ?? '').toUpperCase()
    this.replies = isSilent || length === 0 ? 0 : 1
    this.detail = isQueued ? queued : plain
  }

  /** The nth word, the command being word 0, in upper case. */
  word(place: number): string {
    return (this.#words[place] ?? '').toUpperCase()
  }

  get path(): string | null {
    const key = this.verb === null ? undefined : firstKey(this.verb, this.#words)
    return key === undefined ? null : decoded(key)
  }

  get text(): string | null {
    return this.verb === null ? null : decoded(this.#words.join(' '))
  }

  /** Values are no part of it: they may be secrets. */
  get label(): string {
    if (this.verb === null) return 'empty line'
    const subcommand = hasSubcommand(this.verb) ? this.word(1) : ''
    const parts = [this.verb, subcommand, this.path ?? '']
    const label = parts.filter((part) => part !== '').join(' ')
    return label.replaceAll(/[\p{Cc}\p{Cs}]/gu, '?').slice(0, 200)
  }

  header(): undefined {
    return undefined
  }
}

function decoded(latin1: string): string {
  return /[\u0080-\u00ff]/.test(latin1) ? Buffer.from(latin1, 'latin1').toString() : latin1
}
