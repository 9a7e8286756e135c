/** How the starts of open models go, over the last few seconds. */
export interface StartRates {
  /** Executions per second that fell due, began, were dropped. */
  planned: number
  started: number
  dropped: number
}

interface Point {
  elapsedMs: number
  planned: number
  started: number
  dropped: number
}

const keepMs = 5000
/** Commits come twice a second; faster ones share a point. */
const mostPoints = 50

/** Rates of figures that only grow, from what they were at some times. */
export class StartTrack {
  #points: Point[] = []

  add(point: Point): void {
    const last = this.#points.at(-1)
    const before = this.#points.at(-2)
    // Two that are so close that the older of them adds nothing.
    if (
      last !== undefined &&
      before !== undefined &&
      point.elapsedMs - before.elapsedMs < keepMs / mostPoints
    )
      this.#points.pop()
    this.#points.push({ ...point })
    const keepFrom = point.elapsedMs - keepMs
    while (this.#points.length > 2 && this.#points[1]!.elapsedMs <= keepFrom) this.#points.shift()
  }

  /** Null until there is something to tell. */
  rates(): StartRates | null {
    const first = this.#points[0]
    const last = this.#points.at(-1)
    if (first === undefined || last === undefined || last.elapsedMs <= first.elapsedMs) return null
    const perSecond = (of: 'planned' | 'started' | 'dropped') =>
      Math.max(0, ((last[of] - first[of]) * 1000) / (last.elapsedMs - first.elapsedMs))
    return { planned: perSecond('planned'), started: perSecond('started'), dropped: perSecond('dropped') }
  }
}
