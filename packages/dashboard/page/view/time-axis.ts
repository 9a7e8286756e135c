/** The part of a run that all charts show: one for all of them. Times are milliseconds of the run. Pure. */
export class TimeAxis {
  #endMs = 1_000
  #zoom: [fromMs: number, toMs: number] | null = null
  readonly #listeners = new Set<() => void>()

  /** The run so far. */
  get endMs(): number {
    return this.#endMs
  }

  get isZoomed(): boolean {
    return this.#zoom !== null
  }

  get range(): [fromMs: number, toMs: number] {
    return this.#zoom ?? [0, this.#endMs]
  }

  /** The run has got longer. Who looks at its latest part goes on doing so. */
  setEnd(endMs: number): void {
    const end = Math.max(shortestMs, endMs)
    if (end === this.#endMs) return
    const zoom = this.#zoom
    if (zoom !== null && zoom[1] >= this.#endMs) this.#zoom = [zoom[0] + end - this.#endMs, end]
    this.#endMs = end
  }

  /** Shows this part; all of it when that is the whole run. */
  zoom(fromMs: number, toMs: number): void {
    const [one, other] = fromMs < toMs ? [fromMs, toMs] : [toMs, fromMs]
    const length = Math.min(this.#endMs, Math.max(shortestMs, other - one))
    const middle = (one + other) / 2
    const from = Math.min(this.#endMs - length, Math.max(0, middle - length / 2))
    this.#zoom = length >= this.#endMs ? null : [from, from + length]
    this.#tell()
  }

  reset(): void {
    if (this.#zoom === null) return
    this.#zoom = null
    this.#tell()
  }

  /** Shows `factor` times as much, around a moment that stays where it is. */
  scale(factor: number, aroundMs: number | null): void {
    const [from, to] = this.range
    const center = aroundMs === null || aroundMs < from || aroundMs > to ? (from + to) / 2 : aroundMs
    this.zoom(center - (center - from) * factor, center + (to - center) * factor)
  }

  /** Moves by a share of what is shown. */
  pan(share: number): void {
    if (this.#zoom === null) return
    const [from, to] = this.#zoom
    const by = Math.min(this.#endMs - to, Math.max(-from, (to - from) * share))
    this.zoom(from + by, to + by)
  }

  /** Calls back when another part is shown, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** Less than that holds no point. */
const shortestMs = 2_000
