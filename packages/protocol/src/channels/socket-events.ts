import type { Event } from 'zeromq'
import type { Socket } from './zeromq.ts'

/** Reports a socket's events until it is closed. */
export function watch(socket: Socket, report: (event: Event['type']) => void): void {
  void observe(socket, report)
}

async function observe({ events }: Socket, report: (event: Event['type']) => void): Promise<void> {
  while (!events.closed) {
    try {
      // Undefined when the observer is closed while it waits.
      const event = (await events.receive()) as Event | undefined
      if (event === undefined || event.type === 'end') return
      report(event.type)
    } catch {
      return
    }
  }
}
