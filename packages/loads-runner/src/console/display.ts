import type { RunView } from '@loads-runner/history'

/** Where a person sees a run: lines, and the figures of the moment. */
export interface Display {
  /** A line that stays. */
  notice(text: string): void
  /** Text that stays, as it is. */
  text(text: string): void
  /** Shows the figures of a run until {@link leave}. */
  follow(view: RunView): Promise<void>
  leave(): void
  /** Hides the moving part while somebody is asked something. */
  pause(): void
  resume(): void
}

export const silentDisplay: Display = {
  notice() {},
  text() {},
  follow: () => Promise.resolve(),
  leave() {},
  pause() {},
  resume() {},
}
