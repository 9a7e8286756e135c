import { hasCode, messageOf, OutputError } from './errors.ts'
import { defaultQueueLimits, LaneQueue, type QueueLimits, type Waiting } from './lane-queue.ts'
import type { Output, OutputHealth, OutputRun } from './output.ts'

/** Times of a lane, in milliseconds. */
export interface LaneTimes {
  /** Records wait so long at most for others to be written with. */
  lingerMs: number
  /** A call that lasts longer is told to end ... */
  callMs: number
  /** ... and is given up when it has not done so after this. */
  giveUpMs: number
  /** The pause after a first failure; it doubles, up to the last. */
  firstPauseMs: number
  longestPauseMs: number
}

export const defaultLaneTimes: LaneTimes = {
  lingerMs: 1_000,
  callMs: 10_000,
  giveUpMs: 5_000,
  firstPauseMs: 250,
  longestPauseMs: 15_000,
}

export interface LaneOptions {
  output: Output
  /** A line for people. */
  onTrouble: (text: string) => void
  times?: LaneTimes
  limits?: QueueLimits
  /** 0 to 1; for pauses. */
  random?: () => number
}

/** Why a call failed: it may be tried again, or never, or nobody knows what became of it. */
type Failure = 'again' | 'never' | 'unknown'

/** While the run is being ended there is no time for long pauses. */
const longestLastPauseMs = 1_000

/** Of the time that is left at the end, this much is for closing, in milliseconds at most. */
const closingMs = 2_000

/**
 * Feeds one output: keeps what it cannot take yet, hands over batches one at a time, tries again what failed. Whatever
 * the output does, `push` neither throws nor waits.
 */
export class OutputLane {
  readonly output: Output
  readonly #queue: LaneQueue
  readonly #times: LaneTimes
  readonly #random: () => number
  readonly #say: (text: string) => void
  #run: OutputRun | null = null
  #feeding: Promise<void> | null = null
  #opened = false
  /** Why it gets nothing any more. */
  #refusal: string | null = null
  #ending = false
  #writing: readonly Waiting[] = []
  #written = 0
  #retries = 0
  #abandoned = 0
  #trouble: { text: string; since: number; droppedBefore: number; triesBefore: number } | null = null
  #saidFull = false
  /** Lets the feeder look again whether what it waits for is so. */
  #wake: () => void = () => {}
  #abortCall: (reason: Error) => void = () => {}

  constructor({ output, onTrouble, times, limits, random }: LaneOptions) {
    this.output = output
    this.#say = onTrouble
    this.#times = times ?? defaultLaneTimes
    this.#queue = new LaneQueue(limits ?? defaultQueueLimits)
    this.#random = random ?? Math.random
  }

  /** The run is known: what waits can be written from now on. */
  start(run: OutputRun): void {
    if (this.#run !== null) return
    this.#run = run
    this.#feeding = this.#feed(run)
  }

  push(waiting: Waiting): void {
    if (this.#refusal !== null) {
      this.#abandoned++
      return
    }
    const before = this.#queue.dropped
    this.#queue.push(waiting)
    if (this.#queue.dropped > before && !this.#saidFull) {
      this.#saidFull = true
      const why = this.#trouble === null ? 'takes longer than the run' : 'still does not work'
      this.#say(`output ${this.output.name} ${why}: the oldest of its figures are dropped from now on`)
    }
    this.#wake()
  }

  /** It works, and has more to write than it should: whoever can wait should. */
  get isCrowded(): boolean {
    return this.#trouble === null && this.#queue.isCrowded
  }

  health(): OutputHealth {
    return {
      name: this.output.name,
      written: this.#written,
      waiting: this.#queue.length + this.#writing.length,
      dropped: this.#lost,
      retries: this.#retries,
      trouble: this.#refusal ?? this.#trouble?.text ?? null,
    }
  }

  /** Writes what waits, closes the output and tells what was lost. Takes `timeoutMs` at most; never rejects. */
  async finish(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs
    this.#ending = true
    this.#wake()
    const writeMs = timeoutMs - Math.min(closingMs, timeoutMs / 4)
    if (this.#feeding !== null && !(await endsWithin(this.#feeding, writeMs))) {
      const late = new OutputError('OUTPUT_TIMEOUT', 'the run has ended')
      this.#refusal = this.#trouble?.text ?? 'it was too slow to write everything in time'
      this.#abortCall(late)
      await endsWithin(this.#feeding, Math.min(100, timeoutMs / 10))
    }
    this.#abandoned += this.#writing.length
    this.#writing = []
    this.#queue.dropAll()
    if (this.#run !== null) await this.#close(Math.max(50, deadline - performance.now()))
    this.#sayLoss()
  }

  get #lost(): number {
    return this.#queue.dropped + this.#abandoned
  }

  async #feed(run: OutputRun): Promise<void> {
    let failures = 0
    while (this.#refusal === null) {
      if (this.#opened && !(await this.#hasWork())) return
      const failure = this.#opened ? await this.#writeBatch() : await this.#open(run)
      if (failure === null || failure === 'unknown') {
        failures = 0
        continue
      }
      if (failure === 'never') return this.#giveUp()
      this.#retries++
      await this.#pause(failures++)
    }
  }

  /** Waits until there is something to write; false when there will never be. */
  async #hasWork(): Promise<boolean> {
    const isFull = () => this.#queue.length >= this.output.batch || this.#ending
    await this.#until(() => this.#queue.length > 0 || this.#ending, Infinity)
    await this.#until(isFull, this.#times.lingerMs)
    return this.#queue.length > 0
  }

  async #open(run: OutputRun): Promise<Failure | null> {
    const failure = await this.#call(() => this.output.open(run))
    // One that hangs in `open` is asked again: nothing can have been written yet.
    if (failure === 'unknown') return 'again'
    this.#opened = failure === null
    return failure
  }

  async #writeBatch(): Promise<Failure | null> {
    const batch = this.#queue.take(this.output.batch)
    if (batch.length === 0) return null
    this.#writing = batch
    const records = batch.map(({ record }) => record)
    const failure = await this.#call((signal) => this.output.write(records, signal))
    // `finish` may have given it up meanwhile.
    if (this.#writing !== batch) return failure
    this.#writing = []
    if (failure === null) this.#written += batch.length
    else if (failure === 'again') this.#queue.putBack(batch)
    else this.#abandoned += batch.length
    return failure
  }

  /** Calls the output, with a limit. A call that goes on after it was told to end is not waited for any longer. */
  async #call(work: (signal: AbortSignal) => Promise<void>): Promise<Failure | null> {
    const { callMs, giveUpMs } = this.#times
    const controller = new AbortController()
    this.#abortCall = (reason) => controller.abort(reason)
    const isLate = new OutputError('OUTPUT_TIMEOUT', `no answer for ${callMs / 1000} s`)
    const told = setTimeout(() => controller.abort(isLate), callMs).unref()
    let gone: NodeJS.Timeout | undefined
    const hangs = new Promise<'hangs'>((resolve) => {
      gone = setTimeout(() => resolve('hangs'), callMs + giveUpMs).unref()
    })
    try {
      // Inside, since an output may throw before it returns a promise.
      const calling = (async () => work(controller.signal))()
      if ((await Promise.race([calling, hangs])) === 'hangs') {
        calling.catch(() => {})
        this.#begin(`${isLate.message}, and it did not end when told to`)
        return 'unknown'
      }
      this.#recover()
      return null
    } catch (error) {
      if (hasCode(error, 'OUTPUT_REFUSED')) {
        this.#refusal = messageOf(error)
        return 'never'
      }
      this.#begin(messageOf(controller.signal.aborted ? controller.signal.reason : error))
      return 'again'
    } finally {
      clearTimeout(told)
      clearTimeout(gone)
    }
  }

  #giveUp(): void {
    this.#queue.dropAll()
    this.#say(`output ${this.output.name} was refused: ${this.#refusal}; the run goes on without it`)
  }

  #begin(text: string): void {
    if (this.#trouble !== null) {
      this.#trouble.text = text
      return
    }
    this.#trouble = { text, since: performance.now(), droppedBefore: this.#lost, triesBefore: this.#retries }
    this.#say(`output ${this.output.name} does not work: ${text}; what it misses is kept and tried again`)
  }

  #recover(): void {
    if (this.#trouble === null) return
    const { since, droppedBefore, triesBefore } = this.#trouble
    this.#trouble = null
    this.#saidFull = false
    const seconds = ((performance.now() - since) / 1000).toFixed(1)
    const lost = this.#lost - droppedBefore
    const tries = this.#retries - triesBefore
    this.#say(
      `output ${this.output.name} works again after ${seconds} s and ${tries} ${tries === 1 ? 'retry' : 'retries'}; ` +
        (lost === 0 ? 'nothing was lost' : `${records(lost)} lost meanwhile`),
    )
  }

  async #close(timeoutMs: number): Promise<void> {
    try {
      const closing = (async () => this.output.close())()
      if (await endsWithin(closing, timeoutMs)) return await closing
      closing.catch(() => {})
      this.#begin('it did not close in time')
    } catch (error) {
      this.#begin(`closing it failed: ${messageOf(error)}`)
    }
  }

  #sayLoss(): void {
    const lost = this.#lost
    if (lost === 0) return
    const why = this.#refusal ?? this.#trouble?.text
    const all = lost + this.#written
    this.#say(
      `output ${this.output.name}: ${lost} of ${records(all)} lost${why === undefined ? '' : ` (${why})`}`,
    )
  }

  /** Half of it is jitter, so that the outputs of many runs do not come back at the same moment. */
  async #pause(failures: number): Promise<void> {
    const { firstPauseMs, longestPauseMs } = this.#times
    const most = this.#ending ? Math.min(longestPauseMs, longestLastPauseMs) : longestPauseMs
    const ms = Math.min(most, firstPauseMs * 2 ** Math.min(failures, 20))
    const wasEnding = this.#ending
    await this.#until(() => this.#ending !== wasEnding, ms * (0.5 + this.#random() / 2))
  }

  /** Until this is so, or the time is over. */
  async #until(isSo: () => boolean, ms: number): Promise<void> {
    if (isSo()) return
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.#wake = () => {}
        resolve()
      }
      const timer = ms === Infinity ? undefined : setTimeout(end, ms).unref()
      this.#wake = () => {
        if (isSo()) end()
      }
    })
  }
}

/** True when it has settled in time. Keeps the process alive while it waits. */
async function endsWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  const settled = promise.then(
    () => true,
    () => true,
  )
  const result = await Promise.race([settled, late])
  clearTimeout(timer)
  return result
}

function records(count: number): string {
  return count === 1 ? '1 record' : `${count} records`
}
