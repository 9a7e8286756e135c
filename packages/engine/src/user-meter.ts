import type { Recorder } from '@loads-runner/metrics'
import { mergeTags, type HitKind, type HitPhase, type Meter, type Tags } from '@loads-runner/testcase'
import type { ThreadState } from './thread-state.ts'

/** Records what one virtual user does, under the label of the test that it runs and its tags. */
export class UserMeter implements Meter {
  /** Label of the running test. */
  test = ''
  /** Where the tags are that hold now. */
  tagged: { readonly tags: Tags | null } = untagged
  /** performance.now() at which the execution should have begun, until its first hit has ended; null in closed models. */
  intendedAt: number | null = null
  readonly #recorder: Recorder
  readonly #state: ThreadState

  constructor(recorder: Recorder, state: ThreadState) {
    this.#recorder = recorder
    this.#state = state
  }

  hit(
    kind: HitKind,
    name: string,
    method: string,
    status: string,
    failed: boolean,
    micros: number,
    bytesIn: number,
    bytesOut: number,
    own: Tags | null,
  ): void {
    const tags = mergeTags(this.tagged.tags, own)
    this.#recorder.hit(kind, this.test, name, method, status, failed, micros, bytesIn, bytesOut, tags)
    if (failed && status === 'ports') this.#state.add('portsExhausted', 1)
    if (this.intendedAt === null) return
    const response = (performance.now() - this.intendedAt) * 1000
    this.intendedAt = null
    this.#recorder.hitResponse(this.test, name, method, status, response, tags)
  }

  phase(_: HitKind, name: string, method: string, phase: HitPhase, micros: number, own: Tags | null): void {
    this.#recorder.phase(this.test, name, method, phase, micros, mergeTags(this.tagged.tags, own))
  }

  check(name: string, ok: boolean): void {
    this.#recorder.check(this.test, name, ok, this.tagged.tags)
  }

  step(name: string, millis: number): void {
    this.#recorder.step(this.test, name, millis * 1000, this.tagged.tags)
  }

  connection(event: 'opened' | 'closed' | 'tls' | 'tls-resumed'): void {
    this.#recorder.internal(connectionSeries[event], '', 1, this.tagged.tags)
  }

  socket(event: 'opened' | 'closed' | 'message-sent' | 'message-received', bytes: number): void {
    const { tags } = this.tagged
    this.#recorder.internal(socketSeries[event], '', 1, tags)
    if (event === 'message-sent') this.#recorder.internal('socket.bytes-sent', '', bytes, tags)
    else if (event === 'message-received') this.#recorder.internal('socket.bytes-received', '', bytes, tags)
  }

  count(name: string, amount: number): void {
    this.#recorder.count(name, amount)
  }

  gauge(name: string, value: number): void {
    this.#recorder.gauge(name, value)
  }

  timing(name: string, millis: number): void {
    this.#recorder.timing(name, millis * 1000)
  }
}

const untagged = { tags: null }

const connectionSeries = {
  opened: 'connection.opened',
  closed: 'connection.closed',
  tls: 'connection.tls',
  'tls-resumed': 'connection.tls-resumed',
}

const socketSeries = {
  opened: 'socket.opened',
  closed: 'socket.closed',
  'message-sent': 'socket.message-sent',
  'message-received': 'socket.message-received',
}
