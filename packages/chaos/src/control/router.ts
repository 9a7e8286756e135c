import { Refusal } from './refusal.ts'
import type { Route, RouteModule } from './route.ts'

interface Known {
  route: Route
  module: RouteModule
  segments: readonly string[]
}

export interface Found {
  route: Route
  module: RouteModule
  parts: ReadonlyMap<string, string>
}

/** Finds the route of a path. Names in paths may be encoded: any name can be called. */
export class Router {
  readonly #known: readonly Known[]

  constructor(modules: readonly RouteModule[]) {
    this.#known = modules.flatMap((module) =>
      module.routes.map((route) => ({ route, module, segments: route.path.split('/') })),
    )
  }

  /** @throws {Refusal} 404, 405 */
  find(method: string, path: string): Found {
    const segments = path.split('/').map(decoded)
    const allowed = new Set<string>()
    for (const { route, module, segments: wanted } of this.#known) {
      const parts = partsOf(wanted, segments)
      if (parts === null) continue
      if (route.methods.includes(method)) return { route, module, parts }
      for (const each of route.methods) allowed.add(each)
    }
    if (allowed.size === 0) throw new Refusal(404, `there is no ${path.slice(0, 200)}`)
    const methods = [...allowed].join(', ')
    throw new Refusal(405, `${path.slice(0, 200)} takes ${methods}, not ${method}`, {
      headers: { allow: methods },
    })
  }
}

function partsOf(wanted: readonly string[], given: readonly string[]): Map<string, string> | null {
  if (wanted.length !== given.length) return null
  const parts = new Map<string, string>()
  for (const [at, segment] of wanted.entries()) {
    const part = given[at]!
    if (segment.startsWith('{')) {
      if (part === '') return null
      parts.set(segment.slice(1, -1), part)
    } else if (segment !== part) return null
  }
  return parts
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
