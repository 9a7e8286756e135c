import { UsageError } from './errors.ts'

/** Random choices of one execution. Equal seed and execution id give equal choices, on any machine. */
export interface Random {
  /** A number in [0, 1) with 53 random bits. */
  next(): number
  /** An integer from `min` to `max`, both included, each equally likely. */
  integer(min: number, max: number): number
  /** True with probability `p`. */
  chance(p: number): boolean
  /** One element, each equally likely. */
  pick<T>(items: readonly T[]): T
  /** A shuffled copy. */
  shuffle<T>(items: readonly T[]): T[]
  /** A normally distributed number. */
  gaussian(mean?: number, deviation?: number): number
  bytes(length: number): Buffer
}

/**
 * The generator of one execution: sfc32 (Chris Doty-Humphrey, PractRand; public domain), 128 bits of state, seeded by a
 * hash of the run's seed and the execution id.
 */
export function createRandom(seed: number, executionId: string): Random {
  return new Sfc32(`${seed}/${executionId}`)
}

const twoTo32 = 2 ** 32

class Sfc32 implements Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(key: string) {
    this.#a = hash(key, 0x9e3779b9)
    this.#b = hash(key, 0x243f6a88)
    this.#c = hash(key, 0xb7e15162)
    // Twelve rounds mix the seed into the whole state, as the author of sfc advises.
    for (let round = 0; round < 12; round++) this.#word()
  }

  next(): number {
    const high = this.#word() >>> 5
    const low = this.#word() >>> 6
    return (high * 2 ** 26 + low) / 2 ** 53
  }

  integer(min: number, max: number): number {
    if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || min > max) {
      throw new UsageError(`random.integer(${min}, ${max}) needs two integers, the smaller one first`)
    }
    const span = max - min + 1
    if (span > twoTo32) {
      if (!Number.isSafeInteger(span))
        throw new UsageError(`random.integer(${min}, ${max}) spans more than 2^53`)
      return min + Math.floor(this.next() * span)
    }
    // Words above the last full multiple of the span are drawn again: every value stays equally likely.
    const limit = twoTo32 - (twoTo32 % span)
    let word = this.#word()
    while (word >= limit) word = this.#word()
    return min + (word % span)
  }

  chance(p: number): boolean {
    return this.next() < p
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new UsageError('random.pick() needs at least one item')
    return items[this.integer(0, items.length - 1)] as T
  }

  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items]
    // Fisher and Yates, in the form of Durstenfeld.
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.integer(0, last)
      const item = shuffled[last] as T
      shuffled[last] = shuffled[other] as T
      shuffled[other] = item
    }
    return shuffled
  }

  gaussian(mean = 0, deviation = 1): number {
    // Box and Muller; 1 - next() is never 0.
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()))
    return mean + deviation * radius * Math.cos(2 * Math.PI * this.next())
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    let word = 0
    for (let index = 0; index < length; index++) {
      if ((index & 3) === 0) word = this.#word()
      bytes[index] = word & 0xff
      word >>>= 8
    }
    return bytes
  }

  #word(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }
}

/** A 32-bit hash of a string: FNV-1a over its UTF-16 units, then the finalizer of MurmurHash3. */
function hash(text: string, basis: number): number {
  let value = basis | 0
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return value ^ (value >>> 16)
}
