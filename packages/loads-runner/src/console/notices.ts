import { tearDownNote } from '@loads-runner/protocol'
import type { EventMessage } from '../broker-connection.ts'
import { describeModel } from '../load-models/index.ts'
import type { RunView } from '@loads-runner/history'
import { formatDuration } from '../duration.ts'
import { formatRate, plural } from './figures.ts'
import { oneLine } from './text-table.ts'
import { thresholdValue } from './threshold-text.ts'
import type { ThresholdView } from './threshold-text.ts'

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
      if (event.state === 'running' && view.stages.length > 1) return stageNotices(event, view)
      // What a queued run waits for is in its line of figures.
      const stops = event.state === 'draining' && event.note !== '' && event.note !== tearDownNote
      return stops ? [`draining: ${oneLine(event.note)}`] : []
    }
    case 'log': {
      if (event.level === 'info' && !debug) return []
      const text = `${oneLine(event.source)}: ${oneLine(event.text)}`
      return [event.level === 'info' ? text : `${event.level}: ${text}`]
    }
    case 'control': {
      const { scenario, target, paused, by } = event
      const whose = view.stages.some(({ scenarioIndex }) => scenarioIndex > 0) ? `${oneLine(scenario)}: ` : ''
      return [`control: ${whose}${paused ? 'paused' : `set to ${formatRate(target)}`} (${oneLine(by)})`]
    }
    case 'note':
      return [`note: ${oneLine(event.text)} (${oneLine(event.source)})`]
    case 'fault': {
      const detail = event.detail === '' ? '' : `: ${oneLine(event.detail)}`
      return [`fault ${event.state}: ${oneLine(event.name)}${detail}`]
    }
    case 'thresholds':
      return crossings(event.states, view.thresholds)
    case 'snapshot':
    case 'commit':
    case 'observation':
    case 'finished':
      return []
  }
}

/** At the start of a run the first stage of every scenario begins, later one at a time. */
function stageNotices(event: Extract<EventMessage['event'], { type: 'state' }>, view: RunView): string[] {
  const several = view.stages.some(({ scenarioIndex }) => scenarioIndex > 0)
  // A scenario that is through is no new stage.
  if (view.hasBegun(event.stage)) return []
  const begun =
    view.state === 'running'
      ? view.stages.slice(event.stage, event.stage + 1)
      : view.stages.filter(({ place, number }) => (several ? place === 0 : number === event.stage))
  const lines = begun.map(({ scenario, place, model }) => {
    const { name, stages, startMs } = scenario
    const stage = stages.length === 1 ? '' : `stage ${place + 1} of ${stages.length}: `
    const when = place === 0 && startMs > 0 ? ` (after ${formatDuration(startMs)})` : ''
    return `${several ? `scenario ${oneLine(name)}: ` : ''}${stage}${describeModel(model)}${when}`
  })
  const more = lines.length - mostLines
  return more > 0 ? [...lines.slice(0, mostLines), `and ${more} more scenarios`] : lines
}

const mostLines = 10

/** Thresholds that are crossed now and were not before, and the other way round. */
function crossings(now: readonly ThresholdView[], before: readonly ThresholdView[]): string[] {
  const was = new Map(before.map(({ expression, ok }) => [expression, ok]))
  return now.flatMap((each) => {
    const expression = oneLine(each.expression)
    if (each.ok === false && was.get(each.expression) !== false)
      return [`✗ threshold crossed: ${expression} (${thresholdValue(each)})`]
    const again = each.ok === true && was.get(each.expression) === false
    return again ? [`✓ threshold holds again: ${expression} (${thresholdValue(each)})`] : []
  })
}
