import { json, type RouteModule } from './route.ts'

/** Clients of Toxiproxy choose what they send by this version of it. */
const compatible = '2.12.0'

/** @param own version of ours, behind that of Toxiproxy */
export function versionRoute(own: string): RouteModule {
  return {
    routes: [
      {
        methods: ['GET'],
        path: '/version',
        answer: () => json(200, { version: `${compatible}-loads.${own}` }),
      },
    ],
  }
}
