import type { Proxies } from '../proxy/proxies.ts'
import type { Proxy } from '../proxy/proxy.ts'
import { behaviorOf } from './behavior.ts'
import { Fields } from './fields.ts'
import { populate } from './populate.ts'
import { findProxy, proxyJson, wantedProxyOf } from './proxy-json.ts'
import { about, badBody } from './refusal.ts'
import { json, nothing, type RouteModule } from './route.ts'

/** Toxiproxy's routes for proxies. */
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

/** Name, protocol and seed stay. */
async function update(proxy: Proxy, fields: Fields): Promise<void> {
  const protocol = fields.text('protocol')
  if (protocol !== undefined && protocol !== proxy.protocol.name) throw fixed('protocol')
  const seed = fields.number('seed')
  if (seed !== undefined && seed !== proxy.seed) throw fixed('seed')
  if (fields.object('tls') !== undefined) throw fixed('tls')
  const listen = fields.text('listen')
  const backend = fields.text('upstream')
  const enabled = fields.flag('enabled')
  const behavior = fields.text('behavior')
  if (behavior !== undefined && behavior !== behaviorOf(proxy.rules.all()).text) proxy.setBehavior(behavior)
  await proxy.update({
    ...(listen === undefined || listen === '' ? {} : { listen }),
    ...(backend === undefined || backend === '' ? {} : { backend }),
    ...(enabled === undefined ? {} : { enabled }),
  })
}

function fixed(key: string): Error {
  return badBody(`${key} of a proxy stays as it was made; delete the proxy and make another`)
}
