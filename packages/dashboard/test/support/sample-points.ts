import type { Points } from '../../src/model.ts'

/** One entry of each column. */
export type Point = { [Name in keyof Points]: Points[Name][number] }

export function emptyPoints(): Points {
  return {
    fromMs: [],
    spanMs: [],
    hitsPerSecond: [],
    failedPerSecond: [],
    executionsPerSecond: [],
    errorsPerSecond: [],
    activeUsers: [],
    plannedPerSecond: [],
    startedPerSecond: [],
    droppedPerSecond: [],
    p50: [],
    p95: [],
    p99: [],
    max: [],
    responseP50: [],
    responseP95: [],
    responseP99: [],
    bytesInPerSecond: [],
    bytesOutPerSecond: [],
    eventLoopLagMs: [],
    latenessMs: [],
    cpu: [],
  }
}

export function pushPoint(points: Points, point: Point): void {
  for (const name of Object.keys(points) as (keyof Points)[])
    (points[name] as (number | null)[]).push(point[name])
}
