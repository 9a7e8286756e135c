import assert from 'node:assert/strict'
import { openRecording, totalsOf } from '@loads-runner/history'

/**
 * A quantile of all hits of a run as another program gives it, in seconds, is that of the samples: the one whose rank it
 * is or a neighbour (programs round ranks up or down), 1.05 % away at most.
 */
export async function assertQuantile(runDirectory: string, share: number, seconds: number): Promise<void> {
  const { aggregate } = await totalsOf(await openRecording(runDirectory))
  const { histogram } = aggregate.serviceTime()
  const one = 1 / histogram.count
  const [low, high] = [
    histogram.quantile(Math.max(0, share - one)),
    histogram.quantile(Math.min(1, share + one)),
  ]
  const told = `${share}: ${seconds} s, the samples around it are ${low / 1e6} and ${high / 1e6} s`
  assert.ok(seconds * 1e6 >= low * 0.9895 && seconds * 1e6 <= high * 1.0105, told)
}
