import { isBoundTo, parseAddress } from '../proxy/address.ts'
import type { Proxies } from '../proxy/proxies.ts'
import type { Proxy } from '../proxy/proxy.ts'
import { parseRule } from '../rules/parse-rule.ts'
import type { FaultRequest, Rule } from '../rules/rule.ts'
import { proxyJson, wantedProxyOf, type ProxyJson, type WantedProxy } from './proxy-json.ts'
import { badBody, refusalOf, type Refusal } from './refusal.ts'
import { json, type Answer } from './route.ts'
import { toxicJson } from './toxic-json.ts'

/**
 * Makes proxies as a list says. All of the list is checked first. One that is there as the list says is kept with its
 * connections, its faults and whether it is enabled; faults that the list names are set on it. Another of its name gives way. What fails later is
 * reported together with those that are there by then.
 */
export async function populate(proxies: Proxies, list: unknown): Promise<Answer> {
  const made: ProxyJson[] = []
  const failed = (refusal: Refusal) => json(refusal.status, { ...refusal.toJSON(), proxies: made })
  let wanted: WantedProxy[]
  try {
    if (!Array.isArray(list)) throw badBody('it must be a list of proxies')
    wanted = list.map((entry, at) => wantedProxyOf(entry, ` at proxy ${at + 1}`))
  } catch (error) {
    return failed(refusalOf(error, 'proxy'))
  }
  for (const entry of wanted) {
    try {
      made.push(proxyJson(await provide(proxies, entry)))
    } catch (error) {
      return failed(refusalOf(error, 'proxy'))
    }
  }
  return json(201, { proxies: made })
}

async function provide(proxies: Proxies, wanted: WantedProxy): Promise<Proxy> {
  const { namesFaults, ...options } = wanted
  const there = proxies.all().find(({ name }) => name === wanted.name)
  if (there === undefined) return proxies.create(options)
  if (await isAsWanted(there, wanted)) {
    if (namesFaults && !hasFaults(there, wanted.faults)) there.rules.replace(wanted.faults)
    return there
  }
  await proxies.delete(wanted.name)
  return proxies.create(options)
}

async function isAsWanted(proxy: Proxy, wanted: WantedProxy): Promise<boolean> {
  return (
    proxy.backend === wanted.backend &&
    proxy.protocol.name === wanted.protocol &&
    (wanted.seed === undefined || wanted.seed === proxy.seed) &&
    wanted.tls === undefined &&
    wanted.listen !== undefined &&
    (await isSameListen(wanted.listen, proxy.listen))
  )
}

async function isSameListen(given: string, there: string): Promise<boolean> {
  if (given === there) return true
  try {
    return await isBoundTo(parseAddress(given, 'listen'), parseAddress(there, 'listen'))
  } catch {
    // Whoever makes the proxy tells what is wrong with it.
    return false
  }
}

function hasFaults(proxy: Proxy, wanted: readonly FaultRequest[]): boolean {
  const shown = (rules: readonly Rule[]) => JSON.stringify(rules.map(toxicJson))
  return shown(proxy.rules.all()) === shown(wanted.map((request) => parseRule(request, proxy.protocol)))
}
