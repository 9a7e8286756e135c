import { buildModel, renderReport, type RunModel } from '@loads-runner/dashboard'
import type { RunEvent } from '@loads-runner/protocol'
import type { OutputEnvironment } from '../environment.ts'
import type { Output } from '../output.ts'
import { FinalOutput } from './final-output.ts'

/**
 * `html:FILE`: the report of the run as one page. Its model is made as events come, so that memory is that of the
 * model, not of all events.
 */
export function createHtml(args: string, environment: OutputEnvironment): Output {
  const events = new EventStream()
  let building: Promise<RunModel> | null = null
  return new FinalOutput({
    name: 'html',
    args,
    environment,
    wants: ['raw', 'end'],
    take: (record) => {
      if (record.type !== 'raw') return
      building ??= buildModel(events)
      // Its failure is met where it is waited for.
      building.catch(() => {})
      events.push(record.event)
    },
    render: async () => {
      events.end()
      return building === null ? null : renderReport(await building)
    },
  })
}

/** Events as they are pushed, to be read once. */
class EventStream implements AsyncIterable<RunEvent> {
  readonly #events: RunEvent[] = []
  #ended = false
  #wake: () => void = () => {}

  push(event: RunEvent): void {
    this.#events.push(event)
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent> {
    for (;;) {
      yield* this.#events.splice(0)
      if (this.#events.length > 0) continue
      if (this.#ended) return
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}
