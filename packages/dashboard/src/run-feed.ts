import type { RunEvent } from '@loads-runner/protocol'
import type { EventChannel } from './event-channel.ts'
import type { RunModel } from './model.ts'
import { RunModeler } from './run-modeler.ts'

/** What happens is told so soon, since more may come with it; but no more often than that. In milliseconds. */
const soonMs = 40
const leastGapMs = 400

export interface RunFeedOptions {
  runId: string
  submittedAt: number | null
  log: (text: string) => void
  onEnd: () => void
}

/**
 * One run, followed: its model, and everybody who looks at it. All of them share the updates, which are numbered; who
 * comes gets the whole model first, and the updates after it.
 */
export class RunFeed {
  readonly runId: string
  readonly #modeler: RunModeler
  readonly #log: (text: string) => void
  readonly #onEnd: () => void
  readonly #channels = new Set<EventChannel>()
  #unfollow: (() => void) | null = null
  #stopped = false
  #publishedAt = -Infinity
  #soon: NodeJS.Timeout | null = null
  #sequence = 0
  /** The model as text, as of a sequence number. */
  #text: { sequence: number; json: Buffer } | null = null
  #broken: Error | null = null
  readonly #waiting = new Set<() => void>()
  #wakeAtEnd: (() => void) | null = null
  /** When somebody last asked for it: a number that grows. */
  usedAt = 0

  constructor({ runId, submittedAt, log, onEnd }: RunFeedOptions) {
    this.#onEnd = onEnd
    this.runId = runId
    this.#log = log
    this.#modeler = new RunModeler({ submittedAt })
  }

  get readers(): number {
    return this.#channels.size
  }

  /** There is a model. */
  get begun(): boolean {
    return this.#modeler.begun
  }

  get ended(): boolean {
    return this.#modeler.ended
  }

  /** So far. */
  get hits(): number {
    return this.#modeler.hits
  }

  get summary(): RunModel['summary'] {
    return this.#modeler.summary
  }

  /** Garbage came: what is known stays, no more is taken in. */
  get broken(): boolean {
    return this.#broken !== null
  }

  take(event: RunEvent): void {
    if (this.#broken !== null || this.#stopped) return
    try {
      this.#modeler.apply(event)
    } catch (error) {
      this.#broken = error as Error
      this.#log(`run ${this.runId} cannot be shown any further: ${(error as Error).message}`)
    }
    if (event.type === 'finished') {
      this.#onEnd()
      this.#wakeAtEnd?.()
    }
    if (!this.#modeler.begun && this.#broken === null) return
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
    this.#tellSoon()
  }

  set unfollow(unfollow: (() => void) | null) {
    if (this.#stopped) unfollow?.()
    else this.#unfollow = unfollow
  }

  /** There is a model, or will be in so many milliseconds: false when not. */
  async ready(withinMs: number): Promise<boolean> {
    if (this.#modeler.begun) return true
    if (this.#broken !== null || this.#stopped) return false
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, withinMs)
      this.#waiting.add(wake)
    })
    return this.#modeler.begun
  }

  /** Everybody who looks was told of the end of the run, or so many milliseconds have passed. */
  async told(withinMs: number): Promise<void> {
    if (!this.#modeler.ended && this.#broken === null && !this.#stopped)
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer)
          this.#wakeAtEnd = null
          resolve()
        }
        const timer = setTimeout(wake, withinMs)
        this.#wakeAtEnd = wake
      })
    if (this.#channels.size > 0) this.#publish(true)
  }

  model(): RunModel {
    return this.#modeler.model()
  }

  /** The model as JSON, as of the latest update. Many who come at once share it. */
  modelText(): Buffer {
    if (this.#text?.sequence === this.#sequence) return this.#text.json
    // What is new goes to everybody first, so that a log line is never sent twice.
    this.#publish(true)
    const json = Buffer.from(JSON.stringify(this.#modeler.model()))
    this.#text = { sequence: this.#sequence, json }
    return json
  }

  add(channel: EventChannel): void {
    const json = this.modelText()
    this.#channels.add(channel)
    channel.onClose = () => {
      this.#channels.delete(channel)
    }
    channel.begin('model', this.#sequence, json)
  }

  /** Tells those who look what is new, if only the time. Called twice a second. */
  publish(): void {
    this.#text = null
    if (this.#channels.size > 0 && this.#sinceLast() >= leastGapMs) this.#publish(false)
  }

  beat(): void {
    for (const channel of this.#channels) channel.beat()
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    if (this.#soon !== null) clearTimeout(this.#soon)
    this.#unfollow?.()
    for (const channel of this.#channels) channel.close()
    for (const wake of this.#waiting) wake()
    this.#wakeAtEnd?.()
  }

  #tellSoon(): void {
    if (this.#soon !== null || this.#channels.size === 0) return
    this.#soon = setTimeout(
      () => {
        this.#soon = null
        if (this.#channels.size > 0 && !this.#stopped) this.#publish(false)
      },
      Math.max(soonMs, leastGapMs - this.#sinceLast()),
    )
    this.#soon.unref()
  }

  #sinceLast(): number {
    return performance.now() - this.#publishedAt
  }

  #publish(whole: boolean): void {
    this.#publishedAt = performance.now()
    const update = this.#modeler.update(whole)
    if (update === null) return
    this.#sequence++
    if (this.#channels.size === 0) return
    const json = Buffer.from(JSON.stringify(update))
    for (const channel of this.#channels) channel.send('update', this.#sequence, json)
  }
}
