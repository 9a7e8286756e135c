import type { Recorder } from '@loads-runner/metrics'
import type { Meter, Tags } from '@loads-runner/testcase'

/** Records what one virtual user does under the label of the test that it runs. */
export class UserMeter implements Meter {
  /** Label of the running test. */
  test = ''
  readonly #recorder: Recorder

  constructor(recorder: Recorder) {
    this.#recorder = recorder
  }

  hit(
    kind: 'http' | 'websocket',
    name: string,
    method: string,
    status: string,
    failed: boolean,
    micros: number,
    bytesIn: number,
    bytesOut: number,
    tags: Tags | null,
  ): void {
    this.#recorder.hit(kind, this.test, name, method, status, failed, micros, bytesIn, bytesOut, tags)
  }

  socket(event: 'opened' | 'closed' | 'message-sent' | 'message-received', bytes: number): void {
    this.#recorder.internal(`socket.${event}`, '', 1)
    if (event === 'message-sent') this.#recorder.internal('socket.bytes-sent', '', bytes)
    else if (event === 'message-received') this.#recorder.internal('socket.bytes-received', '', bytes)
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
