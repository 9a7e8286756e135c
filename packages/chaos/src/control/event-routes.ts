import type { ChaosEvent } from '../events/event.ts'
import { EventRing } from '../events/event-ring.ts'
import type { Proxies } from '../proxy/proxies.ts'
import { EventStream } from './event-stream.ts'
import { Refusal } from './refusal.ts'
import type { RouteModule } from './route.ts'

const mostReaders = 100
const beatMs = 15_000

type Wanted = (event: ChaosEvent) => boolean

/**
 * `/events`: the last 1,000 events and those that follow, as lines of JSON, or server-sent for who accepts those;
 * `?proxy=NAME&type=fault,close` for some of them, `past=false` for those alone that follow.
 */
export function eventRoutes(proxies: Proxies): RouteModule {
  const ring = new EventRing()
  const readers = new Map<EventStream, Wanted>()
  const stop = proxies.events.listen((event) => {
    ring.push(event)
    let json: string | null = null
    for (const [stream, wants] of readers)
      if (wants(event)) stream.send(event.type, (json ??= JSON.stringify(event)))
  })
  const beats = setInterval(() => {
    for (const stream of readers.keys()) stream.beat()
  }, beatMs).unref()
  return {
    routes: [
      {
        methods: ['GET'],
        path: '/events',
        answer: ({ query, request }) => {
          if (readers.size >= mostReaders)
            throw new Refusal(503, `${mostReaders} read events already; end one of them`)
          const wants = wantedOf(query)
          const sse = /\btext\/event-stream\b/i.test(request.headers.accept ?? '')
          return {
            stream: (response) => {
              const stream = new EventStream(response, { sse, onClose: () => readers.delete(stream) })
              const past = query.get('past') === 'false' ? [] : ring.all()
              for (const event of past) if (wants(event)) stream.send(event.type, JSON.stringify(event))
              readers.set(stream, wants)
            },
          }
        },
      },
    ],
    close() {
      stop()
      clearInterval(beats)
      for (const stream of readers.keys()) stream.close()
    },
  }
}

function wantedOf(query: URLSearchParams): Wanted {
  const proxies = query.getAll('proxy')
  const types = query.getAll('type').flatMap((types) => types.split(','))
  return ({ proxy, type }) =>
    (proxies.length === 0 || proxies.includes(proxy)) && (types.length === 0 || types.includes(type))
}
