import { tearDownNote } from '@loads-runner/protocol'
import type { EventMessage } from '../broker-connection.ts'
import type { RunView } from '../run-view.ts'
import { plural } from './figures.ts'
import { oneLine } from './text-table.ts'

/**
 * What of an event is worth a line of its own, besides the figures. Called before the view takes the event in.
 *
 * @param debug say what broker and agents log, too
 */
export function noticesOf(message: EventMessage, view: RunView, debug: boolean): string[] {
  const { event, skipped } = message
  const left =
    skipped > 0
      ? [`this console was too slow and left out ${plural(skipped, 'event')}; totals are complete`]
      : []
  return [...left, ...ownNotices(event, view, debug)]
}

function ownNotices(event: EventMessage['event'], view: RunView, debug: boolean): string[] {
  switch (event.type) {
    case 'agent': {
      const { id, host, state } = event.agent
      if (state !== 'suspect' && state !== 'lost' && state !== 'fenced') return []
      const name = oneLine(id.includes(host) ? id : `${id} on ${host}`)
      return [`agent ${name} is ${state}${event.note === '' ? '' : `: ${oneLine(event.note)}`}`]
    }
    case 'state': {
      const stages = view.spec?.profile.stages ?? []
      if (event.state === 'running' && stages.length > 1) {
        return [
          `stage ${event.stage + 1} of ${stages.length}: ${plural(stages[event.stage]?.users ?? 0, 'user')}`,
        ]
      }
      // What a queued run waits for is in its line of figures.
      const stops = event.state === 'draining' && event.note !== '' && event.note !== tearDownNote
      return stops ? [`draining: ${oneLine(event.note)}`] : []
    }
    case 'log': {
      if (event.level === 'info' && !debug) return []
      const text = `${oneLine(event.source)}: ${oneLine(event.text)}`
      return [event.level === 'info' ? text : `${event.level}: ${text}`]
    }
    case 'snapshot':
    case 'commit':
    case 'finished':
      return []
  }
}
