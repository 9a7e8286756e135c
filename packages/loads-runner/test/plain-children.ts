/**
 * Within this suite, processes that a command starts are plain Node, as they are for users: without the loader of the
 * test runner, which a session's own working directory does not have.
 */
export function usePlainChildren(): void {
  let loaders: string[] = []
  before(() => void (loaders = process.execArgv.splice(0)))
  after(() => void process.execArgv.push(...loaders))
}
