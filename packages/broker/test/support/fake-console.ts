import { Aggregate, DeltaDecoder, type Summary } from '@loads-runner/metrics'
import type {
  BrokerToOperator,
  OperatorConnection,
  OperatorResults,
  OperatorToBroker,
  RunEvent,
  RunRow,
  SnapshotEvent,
} from '@loads-runner/protocol'

type Request = Extract<OperatorToBroker, { requestId: number }>
type Unnumbered<T> = T extends unknown ? Omit<T, 'requestId'> : never

export class RefusedError extends Error {
  readonly code: string
  readonly exitCode: number

  constructor(code: string, exitCode: number, message: string) {
    super(message)
    this.code = code
    this.exitCode = exitCode
  }
}

/** What one console has seen of one run. */
export class SeenRun {
  readonly events: RunEvent[] = []
  readonly sequences: number[] = []
  aggregate = new Aggregate()
  skipped = 0
  snapshots = 0
  #decoder = new DeltaDecoder()

  take(event: RunEvent, sequence: number, skipped: number): void {
    this.events.push(event)
    this.sequences.push(sequence)
    this.skipped += skipped
    if (event.type === 'snapshot') {
      this.snapshots++
      this.#decoder = new DeltaDecoder()
      this.aggregate = new Aggregate()
      this.aggregate.apply(this.#decoder.decode(event.delta))
    } else if (event.type === 'commit') {
      const delta = this.#decoder.decode(event.delta)
      if (!event.warmUp) this.aggregate.apply(delta)
    }
  }

  /** States in order, the first one from the snapshot. */
  get states(): string[] {
    const states = this.events.flatMap((event) => {
      return event.type === 'state' || event.type === 'snapshot' ? [event.state] : []
    })
    return states.filter((state, index) => state !== states[index - 1])
  }

  get state(): string | undefined {
    return this.states.at(-1)
  }

  ofType<T extends RunEvent['type']>(type: T): Extract<RunEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type)
  }

  get snapshot(): SnapshotEvent {
    return this.ofType('snapshot').at(-1)!
  }

  get summary(): Summary | null {
    const finished = this.ofType('finished')[0]
    return finished === undefined ? null : (JSON.parse(finished.summary) as Summary)
  }

  /** States of one agent, in order. */
  agentStates(id: string): string[] {
    return this.ofType('agent').flatMap(({ agent }) => (agent.id === id ? [agent.state] : []))
  }

  logs(): string[] {
    return this.ofType('log').map((event) => event.text)
  }
}

/** An operator on a real connection. Acknowledges every event unless it is frozen. */
export class FakeConsole {
  readonly connection: OperatorConnection
  readonly heard: BrokerToOperator[] = []
  readonly runs = new Map<string, SeenRun>()
  /** What it was told of runs that it watches. */
  readonly rows: RunRow[] = []
  /** Takes events in and does not say so. */
  frozen = false
  readonly #waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>()
  #requestId = 0

  constructor(connection: OperatorConnection) {
    this.connection = connection
    connection.onMessage((message) => this.#hear(message))
  }

  run(runId: string): SeenRun {
    let run = this.runs.get(runId)
    if (run === undefined) this.runs.set(runId, (run = new SeenRun()))
    return run
  }

  /** @throws {RefusedError} when the broker refuses */
  ask<T extends Request['type']>(
    request: Extract<Unnumbered<Request>, { type: T }>,
  ): Promise<OperatorResults[T]> {
    const requestId = this.#requestId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(requestId, { resolve: resolve as (result: never) => void, reject })
      this.connection.send({ ...request, requestId } as OperatorToBroker)
    })
  }

  acknowledge(runId: string): void {
    const sequence = this.run(runId).sequences.at(-1)
    if (sequence !== undefined) this.connection.send({ type: 'received', runId, sequence })
  }

  #hear(message: BrokerToOperator): void {
    this.heard.push(message)
    if (message.type === 'event') {
      this.run(message.runId).take(message.event, message.sequence, message.skipped)
      if (!this.frozen) this.acknowledge(message.runId)
    } else if (message.type === 'run') {
      this.rows.push(message.row)
    } else if (message.type === 'reply') {
      this.#waiting.get(message.requestId)?.resolve(message.result as never)
    } else if (message.type === 'refusal') {
      const { code, exitCode, message: text } = message
      this.#waiting.get(message.requestId)?.reject(new RefusedError(code, exitCode, text))
    }
  }
}
