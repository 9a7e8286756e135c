import { mostUsersOf } from '@loads-runner/testcase/load'
import type { LoadProfile } from '@loads-runner/testcase/load'

/** Users at one time, at most: scenarios go on side by side, the stages of each follow one another. */
export function mostUsersAtOnce({ scenarios }: LoadProfile): number {
  return scenarios.reduce((sum, { stages }) => sum + Math.max(...stages.map(mostUsersOf)), 0)
}
