import type { Proxies } from '../proxy/proxies.ts'
import type { Proxy } from '../proxy/proxy.ts'
import { parseBehaviors } from '../rules/behaviors.ts'
import { parseRule } from '../rules/parse-rule.ts'
import { behaviorOf } from './behavior.ts'
import { Fields } from './fields.ts'
import { populate } from './populate.ts'
import { findProxy, proxyJson, wantedProxyOf } from './proxy-json.ts'
import { about, badBody } from './refusal.ts'
import { json, nothing, type RouteModule } from './route.ts'

/** Toxiproxy's routes for proxies, and what a proxy has counted. */
export function proxyRoutes(proxies: Proxies): RouteModule {
  return {
    routes: [
      {
        methods: ['GET'],
        path: '/proxies',
        answer: () =>
          json(200, Object.fromEntries(proxies.all().map((proxy) => [proxy.name, proxyJson(proxy)]))),
      },
      {
        methods: ['POST'],
        path: '/proxies',
        answer: async (call) => {
          const { namesFaults: _, ...wanted } = wantedProxyOf(await call.json())
          return json(201, proxyJson(await about('proxy', () => proxies.create(wanted))))
        },
      },
      {
        methods: ['POST'],
        path: '/populate',
        answer: async (call) => populate(proxies, await call.json()),
      },
      {
        methods: ['POST'],
        path: '/reset',
        answer: async () => {
          await about('proxy', () => proxies.reset())
          return nothing
        },
      },
      {
        methods: ['GET'],
        path: '/proxies/{proxy}',
        answer: (call) => json(200, proxyJson(findProxy(proxies, call.part('proxy')))),
      },
      {
        methods: ['GET'],
        path: '/proxies/{proxy}/counters',
        answer: (call) => json(200, findProxy(proxies, call.part('proxy')).counters()),
      },
      {
        methods: ['POST', 'PATCH'],
        path: '/proxies/{proxy}',
        answer: async (call) => {
          const proxy = findProxy(proxies, call.part('proxy'))
          const fields = new Fields(await call.json())
          await about('proxy', () => update(proxy, fields))
          return json(200, proxyJson(proxy))
        },
      },
      {
        methods: ['DELETE'],
        path: '/proxies/{proxy}',
        answer: async (call) => {
          await about('proxy', () => proxies.delete(call.part('proxy')))
          return nothing
        },
      },
    ],
  }
}

/** Name, protocol, seed and TLS stay. All of it is checked before anything changes. */
async function update(proxy: Proxy, fields: Fields): Promise<void> {
  const protocol = fields.text('protocol')
  if (protocol !== undefined && protocol !== proxy.protocol.name) throw fixed('protocol')
  const seed = fields.number('seed')
  if (seed !== undefined && seed !== proxy.seed) throw fixed('seed')
  const tls = fields.object('tls')
  if (tls !== undefined && tls['authority'] !== proxy.authority) throw fixed('tls')
  const behavior = fields.text('behavior')
  const isOther = behavior !== undefined && behavior !== behaviorOf(proxy.rules.all()).text
  if (isOther) for (const request of parseBehaviors(behavior)) parseRule(request, proxy.protocol)
  await proxy.update({
    listen: fields.text('listen') || undefined,
    backend: fields.text('upstream') || undefined,
    enabled: fields.flag('enabled'),
  })
  if (isOther) proxy.setBehavior(behavior)
}

function fixed(key: string): Error {
  return badBody(`${key} of a proxy stays as it was made; delete the proxy and make another`)
}
