/**
 * Whether an error says "an assertion did not hold" (the execution is a failure) and not "something broke" (an error).
 * Knows node:assert, chai and expect by the marks they leave, not by class: tests may bring their own copies.
 */
export function isAssertionFailure(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  try {
    const { name, code, matcherResult } = error as { name?: unknown; code?: unknown; matcherResult?: unknown }
    if (code === 'ERR_ASSERTION' || matcherResult !== undefined) return true
    return typeof name === 'string' && /^AssertionError\b/.test(name)
  } catch {
    // A getter that throws: whatever this is, no assertion library made it.
    return false
  }
}
