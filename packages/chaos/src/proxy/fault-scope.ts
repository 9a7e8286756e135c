/** Faults that are there until its end; then what was before is there again, with its options. */
export interface FaultScope extends AsyncDisposable {
  /** Twice is harmless; where it failed it may be tried again. */
  end(): Promise<void>
}

/** @param undo called once; again only after it failed */
export function faultScope(undo: () => void | Promise<void>): FaultScope {
  let ending: Promise<void> | null = null
  const end = (): Promise<void> => {
    if (ending === null) {
      ending = (async () => undo())()
      // Also where it fails at once: only what is assigned already can be forgotten.
      ending.catch(() => (ending = null))
    }
    return ending
  }
  return { end, [Symbol.asyncDispose]: end }
}
