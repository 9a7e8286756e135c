import { createRandom } from '../random.ts'

/** Starts of one block. Larger is nearer to a Poisson process, smaller is cheaper for who needs a single start. */
const blockSize = 1024

/**
 * Where the starts of a Poisson process of rate 1 lie, by their number: the axis is cut into blocks of 1,024 starts,
 * each with a generator of its own, so any start is found without drawing those before its block. Within a block the
 * places are those of a Poisson process of which the count is known: uniform order statistics, made without sorting as
 * partial sums of exponential numbers over their total (L. Devroye, Non-Uniform Random Variate Generation, 1986, V.2).
 *
 * So gaps are exponential (with a tail that is shorter by one in a thousand), counts of short times vary as a Poisson
 * process has them, and counts over whole blocks are exact.
 */
export class PoissonPlaces {
  readonly #seed: number
  readonly #key: string
  readonly #total: number
  readonly #length: number
  #block = -1
  readonly #places = new Float64Array(blockSize)

  /**
   * @param key which process of the run it is
   * @param total starts in all, may be Infinity
   * @param length where the axis ends, at most `total`
   */
  constructor(seed: number, key: string, total: number, length: number) {
    this.#seed = seed
    this.#key = key
    this.#total = total
    this.#length = length
  }

  placeOf(start: number): number {
    const block = Math.floor(start / blockSize)
    if (block !== this.#block) this.#draw(block)
    return this.#places[start % blockSize]!
  }

  #draw(block: number): void {
    const first = block * blockSize
    const count = Math.min(blockSize, this.#total - first)
    const length = Math.min(blockSize, this.#length - first)
    const random = createRandom(this.#seed, `schedule/${this.#key}/${block}`)
    let sum = 0
    for (let index = 0; index < count; index++) {
      sum -= Math.log(1 - random.next())
      this.#places[index] = sum
    }
    sum -= Math.log(1 - random.next())
    for (let index = 0; index < count; index++)
      this.#places[index] = first + (this.#places[index]! / sum) * length
    this.#block = block
  }
}
