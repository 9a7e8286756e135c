import { proxiesVariable, readKnownProxies, tokenVariable } from './proxy-environment.ts'
import type { RunProxies } from './run-proxies.ts'

/** How long mocha waits for them, in milliseconds: a process has to start. */
const patienceMs = 30_000

/** What is used of mocha's root suite. */
interface RootSuite {
  beforeAll(title: string, action: (this: HookContext) => Promise<void>): void
  afterAll(title: string, action: (this: HookContext) => Promise<void>): void
}
interface HookContext {
  timeout(ms: number): void
}

/**
 * `LOADS_PROXIES=proxies.yaml mocha ...`: what `--proxies` is to a run, a file or the address of a `loads-proxy` that stays.
 * There is no load here, so a schedule does not begin. What a run sets the variable to is left alone.
 */
export function proxiesForMocha(root: RootSuite): void {
  const text = process.env[proxiesVariable] ?? ''
  if (text === '' || readKnownProxies(text) !== null) return
  const token = process.env[tokenVariable]
  let proxies: RunProxies | null = null
  root.beforeAll('proxies', async function () {
    this.timeout(patienceMs)
    const { RunProxies } = await import('./run-proxies.ts')
    proxies = await RunProxies.plan(text, {
      cwd: process.cwd(),
      env: process.env,
      isFarAway: false,
      log: (_level, said) => void process.stderr.write(`${said}\n`),
    })
    await proxies.open(null)
    const { env, secrets } = proxies.variables(false)
    Object.assign(process.env, env, secrets)
  })
  root.afterAll('proxies', async function () {
    this.timeout(patienceMs)
    await proxies?.stop()
    process.env[proxiesVariable] = text
    if (token === undefined) delete process.env[tokenVariable]
    else process.env[tokenVariable] = token
  })
}
