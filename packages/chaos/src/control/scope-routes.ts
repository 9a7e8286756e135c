import type { FaultScope } from '../proxy/fault-scope.ts'
import type { Proxies } from '../proxy/proxies.ts'
import type { Proxy } from '../proxy/proxy.ts'
import { Fields } from './fields.ts'
import { LeaseStream } from './lease-stream.ts'
import { OpenScopes } from './open-scopes.ts'
import { findProxy } from './proxy-json.ts'
import { badBody, Refusal } from './refusal.ts'
import { json, nothing, type RouteModule } from './route.ts'
import { faultRequestOf } from './toxic-json.ts'

const mostLeases = 1000

/**
 * Faults that are there until a client of ours ends their scope; the proxy itself knows what to restore. `GET /leases` is
 * answered with the id of a lease, and open until the client leaves: scopes that name it end with it.
 */
export function scopeRoutes(proxies: Proxies): RouteModule {
  const scopes = new OpenScopes(proxies)
  const leases = new Set<LeaseStream>()
  return {
    routes: [
      {
        methods: ['GET'],
        path: '/leases',
        answer: () => {
          if (leases.size >= mostLeases)
            throw new Refusal(503, `${mostLeases} leases are open; end one of them`)
          return {
            stream: (response) => {
              const id = scopes.openLease()
              const lease = new LeaseStream(response, id, () => {
                leases.delete(lease)
                void scopes.closeLease(id)
              })
              leases.add(lease)
            },
          }
        },
      },
      {
        methods: ['POST'],
        path: '/proxies/{proxy}/scopes',
        answer: async (call) => {
          const proxy = findProxy(proxies, call.part('proxy'))
          const fields = new Fields(await call.json())
          const id = await scopes.begin(proxy, fields.text('lease') ?? null, () => begin(proxy, fields))
          return json(201, { id })
        },
      },
      {
        methods: ['DELETE'],
        path: '/proxies/{proxy}/scopes/{scope}',
        answer: async (call) => {
          await scopes.end(findProxy(proxies, call.part('proxy')), call.part('scope'))
          return nothing
        },
      },
    ],
    close() {
      for (const lease of leases) lease.close()
    },
  }
}

async function begin(proxy: Proxy, fields: Fields): Promise<FaultScope> {
  const behavior = fields.text('behavior')
  if (behavior !== undefined) return proxy.withBehavior(behavior, fields.object('attributes') ?? {})
  if (fields.flag('down') === true) return proxy.withDown()
  const toxics = fields.list('toxics')
  if (toxics === undefined) throw badBody('a scope has toxics, a behavior, or down: true')
  return proxy.withFault(toxics.map((toxic) => faultRequestOf(toxic, proxy.protocol)))
}
