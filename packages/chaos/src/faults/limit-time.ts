import { milliseconds, oneOf } from '../attributes.ts'
import { Deadline } from './deadline.ts'
import { defineFault } from './definition.ts'
import type { Flow, Stage } from './stage.ts'

interface LimitTimeAttributes {
  time: number
  how: 'fin' | 'rst'
}

/**
 * Both sides are closed some time after the connection began, although bytes flow; for a connection that was there before the
 * fault, some time after the fault was added.
 */
export const limitTime = defineFault<LimitTimeAttributes>({
  type: 'limit_time',
  summary: 'closes after a time, although bytes flow',
  attributes: {
    time: milliseconds({ initial: 0, help: 'milliseconds until it closes' }),
    how: oneOf(['fin', 'rst'], { initial: 'fin', help: 'an orderly end, or a reset' }),
  },
  units: ['connection'],
  tells: true,
  stage: (flow, attributes) => new LimitTime(flow, attributes),
})

class LimitTime implements Stage<LimitTimeAttributes> {
  readonly #flow: Flow
  readonly #deadline: Deadline
  #how: 'fin' | 'rst'

  constructor(flow: Flow, { time, how }: LimitTimeAttributes) {
    this.#flow = flow
    this.#how = how
    this.#deadline = new Deadline(flow, () => {
      flow.applied()
      flow.close(this.#how)
    })
    this.#deadline.start(time)
  }

  onBytes(bytes: Buffer): void {
    this.#flow.pass(bytes)
  }

  onEnd(): void {
    this.#flow.end()
  }

  onUpdate({ time, how }: LimitTimeAttributes): void {
    this.#how = how
    this.#deadline.change(time)
  }

  onRemove(): void {
    this.#deadline.cancel()
  }
}
