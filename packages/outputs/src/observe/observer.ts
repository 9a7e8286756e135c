import type { OutputEnvironment } from '../environment.ts'
import { messageOf } from '../errors.ts'
import { PageSource } from './page-source.ts'
import { QuerySource } from './query-source.ts'
import type { ObserverRequest } from './request.ts'

/** Asks the target for its own figures again and again while a run goes on. */
export interface Observer {
  readonly name: string
  /** Figures by readable names; those that could not be had are left out. */
  start(publish: (values: Record<string, number>) => void): void
  /** Nothing is published once it has resolved. */
  stop(): Promise<void>
}

/** Where the figures come from. */
export interface FigureSource {
  /** Throws where they cannot be had. @param now milliseconds of a steady clock */
  read(signal: AbortSignal, now: () => number): Promise<Map<string, number>>
}

/** Names that one observer publishes at most. */
const mostNames = 200

/** An answer takes so long at most, in milliseconds. */
const longestAnswerMs = 10_000

/** Makes an observer. Nothing is asked before {@link Observer.start}. */
export function createObserver(request: ObserverRequest, environment: OutputEnvironment): Observer {
  const source =
    request.kind === 'scrape' ? new PageSource(request, environment) : new QuerySource(request, environment)
  return new PollingObserver(request, source, environment)
}

class PollingObserver implements Observer {
  readonly name: string
  readonly #everyMs: number
  readonly #source: FigureSource
  readonly #environment: OutputEnvironment
  readonly #end = new AbortController()
  #asking: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null
  #inTrouble = false
  #saidMany = false
  /** Names that are published: the same ones throughout, or a line on a chart would come and go. */
  readonly #names = new Set<string>()

  constructor({ address, everyMs }: ObserverRequest, source: FigureSource, environment: OutputEnvironment) {
    this.name = `prometheus ${address.url}`
    this.#everyMs = everyMs
    this.#source = source
    this.#environment = environment
  }

  start(publish: (values: Record<string, number>) => void): void {
    if (this.#timer !== null || this.#end.signal.aborted) return
    const ask = () => {
      // A slow answer delays the next question; two are never under way.
      this.#asking ??= this.#ask(publish).finally(() => (this.#asking = null))
    }
    this.#timer = setInterval(ask, this.#everyMs)
    // The run decides how long the process lives.
    this.#timer.unref()
    ask()
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#end.abort()
    await this.#asking
  }

  async #ask(publish: (values: Record<string, number>) => void): Promise<void> {
    const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(longestAnswerMs)])
    let values: Map<string, number>
    try {
      values = await this.#source.read(signal, () => performance.now())
    } catch (error) {
      if (!this.#end.signal.aborted) this.#say(messageOf(error))
      return
    }
    if (this.#end.signal.aborted) return
    if (this.#inTrouble) this.#environment.log('info', `--observe ${this.name} works again`)
    this.#inTrouble = false
    const kept = this.#bounded(values)
    if (kept.length > 0) publish(Object.fromEntries(kept))
  }

  #say(problem: string): void {
    if (this.#inTrouble) return
    this.#inTrouble = true
    this.#environment.log(
      'warning',
      `--observe ${this.name} does not work: ${problem}; it is asked again every ${this.#everyMs / 1000} s`,
    )
  }

  #bounded(values: Map<string, number>): [string, number][] {
    const kept: [string, number][] = []
    let left = 0
    for (const [name, value] of values) {
      if (!Number.isFinite(value)) continue
      if (!this.#names.has(name) && this.#names.size >= mostNames) {
        left++
        continue
      }
      this.#names.add(name)
      kept.push([name, value])
    }
    if (left > 0 && !this.#saidMany) {
      this.#saidMany = true
      const hint = 'choose those that matter with match=NAME,PREFIX_* or a query'
      this.#environment.log(
        'warning',
        `--observe ${this.name} has ${left} figures more than the ${mostNames} that are shown; ${hint}`,
      )
    }
    return kept
  }
}
