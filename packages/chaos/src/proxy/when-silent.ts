import type { Timer } from '../faults/stage.ts'

interface Both {
  readonly upstream: number
  readonly downstream: number
}

interface Watched {
  readonly received: Both
  readonly sent: Both
  after(ms: number, callback: () => void): Timer
}

/** Calls once when for so long, and at most twice as long, no byte has moved and no fault has held any. */
export function whenSilent(
  watched: Watched,
  ms: number,
  isHolding: () => boolean,
  callback: () => void,
): void {
  const before = moved(watched)
  watched.after(ms, () => {
    if (moved(watched) > before || isHolding()) whenSilent(watched, ms, isHolding, callback)
    else callback()
  })
}

function moved({ received, sent }: Watched): number {
  return received.upstream + received.downstream + sent.upstream + sent.downstream
}
