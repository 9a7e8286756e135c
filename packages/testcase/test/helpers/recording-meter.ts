import type { Meter, Tags } from '../../src/meter.ts'

export interface Hit {
  kind: 'http' | 'websocket'
  name: string
  method: string
  status: string
  failed: boolean
  micros: number
  bytesIn: number
  bytesOut: number
  tags: Tags | null
}

/** Keeps everything it is told. */
export class RecordingMeter implements Meter {
  readonly hits: Hit[] = []
  readonly sockets: [event: string, bytes: number][] = []
  readonly values: [kind: 'count' | 'gauge' | 'timing', name: string, value: number][] = []

  hit(
    kind: Hit['kind'],
    name: string,
    method: string,
    status: string,
    failed: boolean,
    micros: number,
    bytesIn: number,
    bytesOut: number,
    tags: Tags | null,
  ): void {
    this.hits.push({ kind, name, method, status, failed, micros, bytesIn, bytesOut, tags })
  }
  socket(event: string, bytes: number): void {
    this.sockets.push([event, bytes])
  }
  count(name: string, amount: number): void {
    this.values.push(['count', name, amount])
  }
  gauge(name: string, value: number): void {
    this.values.push(['gauge', name, value])
  }
  timing(name: string, millis: number): void {
    this.values.push(['timing', name, millis])
  }

  /** `METHOD name status` of each hit, with a mark on failed ones. */
  get lines(): string[] {
    return this.hits.map(
      ({ method, name, status, failed }) => `${method} ${name} ${status}${failed ? ' failed' : ''}`,
    )
  }
}
