import type { ChaosEvent } from '../events/event.ts'
import { ControlFailure } from './control-failure.ts'

/** Characters; events are far shorter. */
const longestLine = 1_048_576

/**
 * Reads server-sent events, of which the data is all that matters here.
 *
 * @throws {ControlFailure} CHAOS_CONTROL: some were missed because this reader was too slow, or what comes is no event
 */
export async function* eventsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ChaosEvent, void, void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop()!
    if (rest.length > longestLine) throw new ControlFailure('CHAOS_CONTROL', 'what comes as events is none')
    for (const line of lines) if (line.startsWith('data: ')) yield eventOf(line.slice('data: '.length))
  }
}

function eventOf(line: string): ChaosEvent {
  let event: ChaosEvent | { type: 'missed'; count: number }
  try {
    event = JSON.parse(line) as typeof event
  } catch (error) {
    throw new ControlFailure('CHAOS_CONTROL', 'what comes as events is none', { text: line, cause: error })
  }
  if (event.type !== 'missed') return event
  throw new ControlFailure(
    'CHAOS_CONTROL',
    `${event.count} events were missed, because these were read too slowly; read faster, or ask for some types only`,
  )
}
