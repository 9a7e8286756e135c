/** Faults that are there until its end; then what was before is there again, with its options. */
export interface FaultScope extends AsyncDisposable {
  /** Twice is harmless; where it failed it may be tried again. */
  end(): Promise<void>
}

/** @param undo called once; again only after it failed */
export function faultScope(undo: () => void | Promise<void>): FaultScope {
  let ending: Promise<void> | null = null
  const attempt = async (): Promise<void> => {
    try {
      await undo()
    } catch (error) {
      ending = null
      throw error
    }
  }
  const end = (): Promise<void> => (ending ??= attempt())
  return { end, [Symbol.asyncDispose]: end }
}
