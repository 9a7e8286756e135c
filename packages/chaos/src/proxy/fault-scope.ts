/** Faults that are there until its end; then what was before is there again, with its options. */
export interface FaultScope extends AsyncDisposable {
  /** Twice is harmless. */
  end(): Promise<void>
}
