import { ChaosError } from '../errors.ts'
import type { Proxies } from '../proxy/proxies.ts'
import type { Proxy } from '../proxy/proxy.ts'
import { behaviorNames } from '../rules/behaviors.ts'
import { fromVaurien } from '../rules/vaurien-options.ts'
import { behaviorOf } from './behavior.ts'
import { Fields } from './fields.ts'
import { badBody, Refusal } from './refusal.ts'
import { json, type Call, type Route, type RouteModule } from './route.ts'

/** Vaurien's routes for each proxy, and at the root where there is one proxy only. */
export function vaurienRoutes(proxies: Proxies): RouteModule {
  return {
    routes: [
      ...routesOf('/vaurien/{proxy}', (call) => named(proxies, call.part('proxy'))),
      ...routesOf('', () => onlyOne(proxies)),
    ],
    explain: ({ status, message, field }) => ({
      status: 'error',
      errors: [
        status === 404
          ? { location: 'path', name: 'proxy', description: message }
          : { location: 'body', name: field, description: message },
      ],
    }),
  }
}

function routesOf(prefix: string, proxyOf: (call: Call) => Proxy): Route[] {
  return [
    {
      methods: ['GET'],
      path: `${prefix}/behavior`,
      answer: (call) => {
        const { text, options } = behaviorOf(proxyOf(call).rules.all())
        return json(200, { behavior: text, options })
      },
    },
    {
      methods: ['PUT'],
      path: `${prefix}/behavior`,
      answer: async (call) => {
        const proxy = proxyOf(call)
        const body = await call.json()
        const name = new Fields(body).text('name')
        if (name === undefined) throw missing('name')
        const { name: _, ...options } = body as Record<string, unknown>
        change(proxy, name, options)
        return ok
      },
    },
    {
      methods: ['GET'],
      path: `${prefix}/behaviors`,
      answer: (call) => {
        proxyOf(call)
        return json(200, { behaviors: behaviorNames })
      },
    },
    {
      methods: ['GET'],
      path: `${prefix}/backend`,
      answer: (call) => json(200, { backend: proxyOf(call).backend }),
    },
    {
      methods: ['PUT'],
      path: `${prefix}/backend`,
      answer: async (call) => {
        const proxy = proxyOf(call)
        const backend = new Fields(await call.json()).text('backend')
        if (backend === undefined) throw missing('backend')
        try {
          await proxy.update({ backend })
        } catch (error) {
          throw badBody(`backend must be HOST:PORT: ${(error as Error).message}`, 'backend')
        }
        return ok
      },
    },
  ]
}

function change(proxy: Proxy, name: string, options: Record<string, unknown>): void {
  try {
    proxy.setBehavior(name, fromVaurien(name, proxy.protocol, options))
  } catch (error) {
    if (!(error instanceof ChaosError)) throw error
    const { code, message } = error
    // What is wrong with one of the options names it.
    const isOption = code === 'CHAOS_ATTRIBUTE' && !message.startsWith('behavior ')
    throw badBody(message, isOption ? '' : 'name')
  }
}

const ok = json(200, { status: 'ok' })

function named(proxies: Proxies, name: string): Proxy {
  const found = proxies.all().find((proxy) => proxy.name === name)
  if (found === undefined) throw new Refusal(404, `there is no proxy ${name.slice(0, 200)}`)
  return found
}

function onlyOne(proxies: Proxies): Proxy {
  const [first, ...others] = proxies.all()
  if (first !== undefined && others.length === 0) return first
  throw new Refusal(
    404,
    first === undefined
      ? 'there is no proxy yet'
      : `there are ${others.length + 1} proxies; name one: /vaurien/PROXY/behavior`,
  )
}

function missing(field: string): Refusal {
  return badBody(`${field} is missing`, field)
}
