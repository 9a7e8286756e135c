import type { UserContext } from '../../context.ts'
import { InterruptedError, RequestError } from '../../errors.ts'
import type { HitErrorClass, Tags } from '../../meter.ts'
import { AbortWatch } from '../abort-watch.ts'
import { classify, describeBreak } from '../hit-error.ts'

/** What an attempt was stopped by from our side. */
export class Stopped extends Error {
  readonly class: HitErrorClass

  constructor(hitClass: HitErrorClass, message: string) {
    super(message)
    this.class = hitClass
  }
}

/** What the test's own function threw in the middle of an attempt: thrown on as it is. */
export class OwnError extends Error {
  override readonly cause: unknown

  constructor(cause: unknown) {
    super("the test's own function threw", { cause })
    this.cause = cause
  }
}

export interface Attempt {
  kind: 'tcp' | 'udp'
  name: string
  method: string
  /** `tcp://host:port`. */
  url: string
  timeoutMs: number
  tags: Tags | null
}

/**
 * Makes one hit of an attempt that ends in time, in an error or with the execution.
 *
 * @param run begins it; gives what to call to stop it (once, with the reason), and what it comes to
 * @param bytes what went in and out, asked for at the end
 * @throws {RequestError} it broke or took too long
 * @throws {InterruptedError} the execution was cut
 * @throws what the test's own function threw
 */
export async function attempt<T>(
  context: UserContext,
  { kind, name, method, url, timeoutMs, tags }: Attempt,
  run: () => { result: Promise<T>; stop: (reason: Stopped) => void },
  bytes: () => { in: number; out: number },
): Promise<T> {
  if (context.signal.aborted) throw new InterruptedError(name, context.signal.reason)
  const startedAt = performance.now()
  const { result, stop } = run()
  const timer = setTimeout(() => stop(new Stopped('timeout', `not done after ${timeoutMs} ms`)), timeoutMs)
  const watch = new AbortWatch(() => stop(new Stopped('interrupted', 'the execution was cut')))
  watch.follow(context.signal)
  const record = (status: string, failed: boolean) => {
    clearTimeout(timer)
    watch.follow(null)
    const micros = Math.round((performance.now() - startedAt) * 1000)
    const moved = bytes()
    context.meter.hit(kind, name, method, status, failed, micros, moved.in, moved.out, tags)
  }
  try {
    const value = await result
    record('ok', false)
    return value
  } catch (cause) {
    const at = { reused: false, answered: bytes().in > 0, idleMs: 0, elapsedMs: 0 }
    const hitClass = cause instanceof Stopped ? cause.class : classify(cause, at)
    record(hitClass, hitClass !== 'interrupted')
    if (cause instanceof OwnError) throw cause.cause
    if (hitClass === 'interrupted') throw new InterruptedError(name, cause)
    const message =
      hitClass === 'protocol'
        ? `${name} ${url}: ${(cause as Error).message}`
        : describeBreak(name, url, hitClass, cause)
    throw new RequestError(message, { class: hitClass, method, url, cause })
  }
}
