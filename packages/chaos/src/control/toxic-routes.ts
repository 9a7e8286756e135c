import type { Proxies } from '../proxy/proxies.ts'
import { Fields } from './fields.ts'
import { attributesAsMeant } from './known-by-clients.ts'
import { findProxy } from './proxy-json.ts'
import { about } from './refusal.ts'
import { json, nothing, type RouteModule } from './route.ts'
import { faultRequestOf, toxicJson, toxicsJson } from './toxic-json.ts'

/** Toxiproxy's routes for toxics; all types of faults are toxics here. */
export function toxicRoutes(proxies: Proxies): RouteModule {
  return {
    routes: [
      {
        methods: ['GET'],
        path: '/proxies/{proxy}/toxics',
        answer: (call) => json(200, toxicsJson(findProxy(proxies, call.part('proxy')).rules.all())),
      },
      {
        methods: ['POST'],
        path: '/proxies/{proxy}/toxics',
        answer: async (call) => {
          const proxy = findProxy(proxies, call.part('proxy'))
          const request = faultRequestOf(await call.json(), proxy.protocol)
          return json(200, toxicJson(await about('toxic', () => proxy.addFault(request))))
        },
      },
      {
        methods: ['GET'],
        path: '/proxies/{proxy}/toxics/{toxic}',
        answer: async (call) => {
          const { rules } = findProxy(proxies, call.part('proxy'))
          return json(200, toxicJson(await about('toxic', () => rules.get(call.part('toxic')))))
        },
      },
      {
        methods: ['POST', 'PATCH'],
        path: '/proxies/{proxy}/toxics/{toxic}',
        answer: async (call) => {
          const proxy = findProxy(proxies, call.part('proxy'))
          const name = call.part('toxic')
          const { definition } = await about('toxic', () => proxy.rules.get(name))
          const fields = new Fields(await call.json())
          const toxicity = fields.number('toxicity')
          const attributes = attributesAsMeant(definition, fields.object('attributes') ?? {})
          const changes = { attributes, ...(toxicity === undefined ? {} : { toxicity }) }
          return json(200, toxicJson(await about('toxic', () => proxy.updateFault(name, changes))))
        },
      },
      {
        methods: ['DELETE'],
        path: '/proxies/{proxy}/toxics/{toxic}',
        answer: async (call) => {
          const proxy = findProxy(proxies, call.part('proxy'))
          await about('toxic', () => proxy.removeFault(call.part('toxic')))
          return nothing
        },
      },
    ],
  }
}
