/** Random choices that depend on a key and on nothing else. */
export interface Random {
  /** A number in [0, 1) with 53 random bits. */
  next(): number
  /** An integer from `min` to `max`, both included. */
  integer(min: number, max: number): number
  /** One element, each equally likely. */
  pick<T>(items: readonly T[]): T
  bytes(length: number): Buffer
}

/** Equal keys give equal choices, on any machine and in any order of events. */
export function randomOf(...key: readonly (string | number)[]): Random {
  return new SplitMix(key)
}

/** The first choice of `randomOf` alone: a number in [0, 1). */
export function uniformOf(...key: readonly (string | number)[]): number {
  return randomOf(...key).next()
}

/** SplitMix32 on a key hashed by FNV-1a (Steele, Lea, Flood 2014; Fowler, Noll, Vo 1991), two streams of 32 bits. */
class SplitMix implements Random {
  #high: number
  #low: number

  constructor(key: readonly (string | number)[]) {
    const text = key.join('\u0000')
    this.#high = hashed(text, 0x811c9dc5)
    this.#low = hashed(text, 0x9e3779b9)
  }

  next(): number {
    this.#high = (this.#high + 0x9e3779b9) | 0
    this.#low = (this.#low + 0x6a09e667) | 0
    return (mixed(this.#high) * 2 ** 21 + (mixed(this.#low) >>> 11)) / 2 ** 53
  }

  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)]!
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    for (let at = 0; at < length; at++) bytes[at] = this.integer(0, 255)
    return bytes
  }
}

function hashed(text: string, basis: number): number {
  let hash = basis
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return mixed(hash) | 0
}

/** The finalizer of MurmurHash3: every bit of the state reaches every bit of the result. */
function mixed(state: number): number {
  let bits = state
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
