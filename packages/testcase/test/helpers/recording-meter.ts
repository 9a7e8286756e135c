import type { HitKind, HitPhase, Meter, Tags } from '../../src/meter.ts'

export interface Hit {
  kind: HitKind
  name: string
  method: string
  status: string
  failed: boolean
  micros: number
  bytesIn: number
  bytesOut: number
  tags: Tags | null
}

export interface Phase {
  kind: HitKind
  name: string
  method: string
  phase: HitPhase
  micros: number
  tags: Tags | null
}

/** Keeps everything it is told. */
export class RecordingMeter implements Meter {
  readonly hits: Hit[] = []
  readonly phases: Phase[] = []
  readonly checks: [name: string, ok: boolean][] = []
  readonly steps: [name: string, millis: number][] = []
  readonly connections: string[] = []
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
  phase(
    kind: HitKind,
    name: string,
    method: string,
    phase: HitPhase,
    micros: number,
    tags: Tags | null,
  ): void {
    this.phases.push({ kind, name, method, phase, micros, tags })
  }
  check(name: string, ok: boolean): void {
    this.checks.push([name, ok])
  }
  step(name: string, millis: number): void {
    this.steps.push([name, millis])
  }
  connection(event: string): void {
    this.connections.push(event)
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
