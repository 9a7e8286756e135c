import { metricsOf } from '../events/metrics.ts'
import type { Proxies } from '../proxy/proxies.ts'
import type { RouteModule } from './route.ts'

/** `/metrics` for Prometheus. */
export function metricsRoutes(proxies: Proxies): RouteModule {
  const registry = metricsOf(proxies)
  return {
    routes: [
      {
        methods: ['GET'],
        path: '/metrics',
        answer: async () => ({ status: 200, text: await registry.metrics(), type: registry.contentType }),
      },
    ],
  }
}
