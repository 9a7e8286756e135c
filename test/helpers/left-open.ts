/**
 * For all test runs: who leaves a server or a socket open would keep the run from ending, and nobody would know why. Half a
 * minute after the last test what is left is named, and the run fails.
 */
const patienceMs = 30_000

export const mochaHooks = {
  afterAll() {
    setTimeout(() => {
      console.error(`open after the last test: ${process.getActiveResourcesInfo().join(', ')}`)
      process.exit(1)
    }, patienceMs).unref()
  },
}
