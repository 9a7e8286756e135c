import { Theme } from './theme.ts'
import { TimeAxis } from './time-axis.ts'

/** What the parts of one pane share: time axis, colors, and who watches sizes. */
export class PaneContext {
  readonly axis = new TimeAxis()
  readonly theme = new Theme()
  /** Charts with the same key have one cursor. */
  readonly syncKey: string
  readonly #sizes = new Map<Element, (width: number) => void>()
  readonly #sights = new Map<Element, (inSight: boolean) => void>()
  readonly #resize: ResizeObserver
  readonly #sight: IntersectionObserver
  #startedAt: number | null = null

  constructor() {
    this.syncKey = `run-${++panes}`
    this.#resize = new ResizeObserver((entries) => {
      for (const { target, contentRect } of entries) this.#sizes.get(target)?.(contentRect.width)
    })
    this.#sight = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) this.#sights.get(target)?.(isIntersecting)
      },
      { rootMargin: '200px' },
    )
  }

  /** When the load began, in milliseconds since the epoch. */
  startedAt(): number | null {
    return this.#startedAt
  }

  setStartedAt(at: number | null): void {
    this.#startedAt = at
  }

  watchSize(target: Element, listener: (width: number) => void): () => void {
    this.#sizes.set(target, listener)
    this.#resize.observe(target)
    return () => {
      this.#sizes.delete(target)
      this.#resize.unobserve(target)
    }
  }

  watchSight(target: Element, listener: (inSight: boolean) => void): () => void {
    this.#sights.set(target, listener)
    this.#sight.observe(target)
    return () => {
      this.#sights.delete(target)
      this.#sight.unobserve(target)
    }
  }

  destroy(): void {
    this.#resize.disconnect()
    this.#sight.disconnect()
    this.#sizes.clear()
    this.#sights.clear()
    this.theme.destroy()
  }
}

let panes = 0
