export type EngineErrorCode =
  | 'TEST_NAME_INVALID'
  | 'TEST_NOT_FOUND'
  | 'TEST_DOES_NOT_LOAD'
  | 'BUNDLE_INVALID'
  | 'BUNDLE_TOO_LARGE'
  /** The directory that a session runs in cannot be made or filled. */
  | 'WORK_DIRECTORY'
  | 'FILE_NOT_FOUND'
  | 'SET_UP_FAILED'
  | 'SESSION_FAILED'

/** Thrown for everything that a user can mend in tests, names or files. The message says what to do next. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly code: EngineErrorCode
  /** By the contract: 2 wrong use, 3 tests not found or not loadable, 4 set-up of a run failed. */
  readonly exitCode: number

  constructor(code: EngineErrorCode, exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.exitCode = exitCode
  }
}

/** Counted for an execution that lasted longer than `--test-timeout`. */
export class TestTimeoutError extends Error {
  override readonly name = 'TestTimeout'
  readonly code = 'TEST_TIMEOUT'

  constructor(label: string, timeoutMs: number) {
    super(`${label} did not end within ${timeoutMs / 1000} s; raise --test-timeout if it may take longer`)
  }
}
