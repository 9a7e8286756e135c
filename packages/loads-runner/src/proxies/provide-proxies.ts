import type { ControlClient } from '@loads-runner/chaos/client'
import { editDistance } from '@loads-runner/metrics'
import {
  provideProxies,
  UsageError,
  type FaultScope,
  type ProxyHandle,
  type ProxyUse,
} from '@loads-runner/testcase'
import { proxiesVariable, readKnownProxies, tokenVariable, type KnownProxies } from './proxy-environment.ts'

/**
 * Makes `this.proxies` speak to the control server of the run's proxies. What speaks is loaded when a proxy is changed for
 * the first time, since every load thread imports this.
 */
export function provideRunProxies(): void {
  const clients = new Map<string, Promise<ControlClient>>()
  const clientOf = ({ control }: KnownProxies): Promise<ControlClient> => {
    const token = process.env[tokenVariable] ?? null
    const key = `${control} ${token}`
    let client = clients.get(key)
    if (client === undefined) {
      client = import('@loads-runner/chaos/client').then(
        (chaos) => new chaos.ControlClient(control, token === null ? {} : { token }),
      )
      clients.set(key, client)
    }
    return client
  }

  provideProxies((use, opened) => {
    const known = readKnownProxies(process.env[proxiesVariable])
    if (known === null) {
      throw new UsageError(
        `proxies: the run has none; start it with --proxies FILE, or mocha with ${proxiesVariable}=FILE`,
      )
    }
    const handles = Object.keys(known.addresses).map((name) => [
      name,
      new RunProxy(name, known, use, opened, () => clientOf(known)),
    ])
    return new Proxy(Object.fromEntries(handles) as Record<string, ProxyHandle>, { get: getOrExplain })
  })
}

function getOrExplain(handles: Record<string, ProxyHandle>, name: string | symbol): ProxyHandle | undefined {
  if (typeof name === 'symbol' || Object.hasOwn(handles, name) || name in Object.prototype || name === 'then')
    return handles[name as string]
  const names = Object.keys(handles)
  const [near] = names.filter((each) => editDistance(each, name) <= 2)
  const hint = near === undefined ? ';' : `; did you mean ${near}?`
  throw new UsageError(`proxies: there is no proxy ${name}${hint} the run has ${names.join(', ') || 'none'}`)
}

class RunProxy implements ProxyHandle {
  readonly name: string
  readonly address: string
  readonly host: string
  readonly port: number
  readonly #known: KnownProxies
  readonly #use: ProxyUse
  readonly #opened: (scope: FaultScope) => void
  readonly #client: () => Promise<ControlClient>

  constructor(
    name: string,
    known: KnownProxies,
    use: ProxyUse,
    opened: (scope: FaultScope) => void,
    client: () => Promise<ControlClient>,
  ) {
    this.name = name
    this.address = known.addresses[name]!
    const colon = this.address.lastIndexOf(':')
    this.host = this.address.slice(0, colon).replaceAll(/^\[|\]$/g, '')
    this.port = Number(this.address.slice(colon + 1))
    this.#known = known
    this.#use = use
    this.#opened = opened
    this.#client = client
  }

  async withBehavior(name: string, options: Readonly<Record<string, unknown>> = {}): Promise<FaultScope> {
    this.#checkMayChange()
    const client = await this.#client()
    return this.#open(await client.proxy(this.name).withBehavior(name, options))
  }

  async down(): Promise<FaultScope> {
    this.#checkMayChange()
    const client = await this.#client()
    return this.#open(await client.proxy(this.name).withDown())
  }

  #open(scope: FaultScope): FaultScope {
    this.#opened(scope)
    return scope
  }

  #checkMayChange(): void {
    if (this.#use === 'run' || !this.#known.shared) return
    throw new UsageError(
      `proxies.${this.name} is shared by several users, and one of them cannot change it: what the others measured would ` +
        "be anybody's guess. Put the fault into the schedule of the proxies' file or into static setUpRun, or use one user",
    )
  }
}
