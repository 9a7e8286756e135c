import { randomUUID } from 'node:crypto'
import type { FaultScope } from '../proxy/fault-scope.ts'
import type { Proxies } from '../proxy/proxies.ts'
import type { Proxy } from '../proxy/proxy.ts'
import { Fields } from './fields.ts'
import { findProxy } from './proxy-json.ts'
import { about, badBody, Refusal } from './refusal.ts'
import { json, nothing, type RouteModule } from './route.ts'
import { faultRequestOf } from './toxic-json.ts'

/** Scopes that were begun and not ended; a client that was killed leaves its own. */
const mostScopes = 1000

interface Open {
  proxy: Proxy
  scope: FaultScope
}

/** Faults that are there until a client of ours ends their scope; the proxy itself knows what to restore. */
export function scopeRoutes(proxies: Proxies): RouteModule {
  const open = new Map<string, Open>()
  return {
    routes: [
      {
        methods: ['POST'],
        path: '/proxies/{proxy}/scopes',
        answer: async (call) => {
          const proxy = findProxy(proxies, call.part('proxy'))
          const fields = new Fields(await call.json())
          dropGone(open, proxies)
          if (open.size >= mostScopes)
            throw new Refusal(409, `${mostScopes} scopes are open; end some, or delete their proxies`)
          const id = randomUUID()
          open.set(id, { proxy, scope: await about('toxic', () => begin(proxy, fields)) })
          return json(201, { id })
        },
      },
      {
        methods: ['DELETE'],
        path: '/proxies/{proxy}/scopes/{scope}',
        answer: async (call) => {
          const proxy = findProxy(proxies, call.part('proxy'))
          const id = call.part('scope')
          const found = open.get(id)
          if (found === undefined || found.proxy !== proxy)
            throw new Refusal(404, 'scope not found', { code: 'CHAOS_NOT_FOUND' })
          // One that could not be ended is there to be ended again.
          await about('toxic', () => found.scope.end())
          open.delete(id)
          return nothing
        },
      },
    ],
  }
}

function begin(proxy: Proxy, fields: Fields): Promise<FaultScope> {
  const behavior = fields.text('behavior')
  if (behavior !== undefined) return proxy.withBehavior(behavior, fields.object('attributes') ?? {})
  const toxics = fields.list('toxics')
  if (toxics === undefined) throw badBody('a scope has toxics or a behavior')
  return proxy.withFault(toxics.map((toxic) => faultRequestOf(toxic, proxy.protocol)))
}

function dropGone(open: Map<string, Open>, proxies: Proxies): void {
  const there = new Set(proxies.all())
  for (const [id, { proxy }] of open) if (!there.has(proxy)) open.delete(id)
}
