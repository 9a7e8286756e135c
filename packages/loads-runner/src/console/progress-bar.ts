import type { RunView } from '@loads-runner/history'

/** Characters between the brackets of a bar that stands alone. */
export const fullBarSize = 47

/** `45%`. It says 100 only when all is done. */
export function percentOf(view: RunView): string {
  const progress = view.progress()
  return `${progress >= 1 ? 100 : Math.min(99, Math.floor(progress * 100))}%`
}

/** The bar of a run that is done. */
export function fullBar(): string {
  return `[${'='.repeat(fullBarSize)}]  100%`
}

/** The run has ended and did all of its plan. */
export function isComplete(view: RunView): boolean {
  return view.summary !== null && view.progress() === 1
}
