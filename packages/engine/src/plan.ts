import { splitEvenly, type Share, type UserRange } from '@loads-runner/testcase/load'
import type { SessionSpec } from './session-spec.ts'

/** Users that one load thread carries before another core is taken. */
const usersPerThread = 100

export interface SessionPlan {
  /** 0: users run on the main thread. */
  threads: number
  /** `ranges[thread][stage]` */
  ranges: UserRange[][]
  /** Executions of the share; stages bounded by time count none. */
  planned: number
}

/** Who runs what in a session. Pure. */
export function planSession(
  spec: Pick<SessionSpec, 'profile' | 'workers'>,
  share: Share,
  cores: number,
): SessionPlan {
  const most = Math.max(1, ...share.ranges.map((range) => range.count))
  const suggested = Math.min(cores, Math.ceil(most / usersPerThread))
  const threads = spec.workers === 0 ? 0 : Math.min(spec.workers ?? suggested, most)
  const parts = Math.max(1, threads)
  const ranges = Array.from({ length: parts }, (_, thread) =>
    share.ranges.map((range) => {
      const part = splitEvenly(range.count, parts)[thread]!
      return { first: range.first + part.first, count: part.count }
    }),
  )
  const planned = spec.profile.stages.reduce(
    (sum, stage, index) => sum + (share.ranges[index]?.count ?? 0) * (stage.iterations ?? 0),
    0,
  )
  return { threads, ranges, planned }
}
