import { randomUUID } from 'node:crypto'
import { hostname, userInfo } from 'node:os'
import type {
  BrokerToOperator,
  Closed,
  Dialer,
  Identity,
  OperatorConnection,
  OperatorResults,
  OperatorToBroker,
  RunRow,
} from '@loads-runner/protocol'
import { RunnerError } from './errors.ts'
import { version } from './version.ts'

export type EventMessage = Extract<BrokerToOperator, { type: 'event' }>

/** Requests that are answered, by their type. */
export type RequestType = keyof OperatorResults & OperatorToBroker['type']

type RequestFields<T extends RequestType> = Omit<Extract<OperatorToBroker, { type: T }>, 'type' | 'requestId'>

interface Waiting {
  resolve: (result: unknown) => void
  reject: (error: RunnerError) => void
}

/** Parts of a bundle on the wire. */
const partBytes = 256 * 1024
const heartbeatMs = 1000

/**
 * An operator's end of a connection to a broker: requests with their answers, and the event streams of runs.
 * Every event is acknowledged when its handler has returned, so a slow console slows nobody but itself.
 */
export class BrokerConnection {
  readonly #connection: OperatorConnection
  readonly #waiting = new Map<number, Waiting>()
  readonly #handlers = new Map<string, (message: EventMessage) => void>()
  /** Events that came before somebody asked for them. */
  readonly #early = new Map<string, EventMessage[]>()
  readonly #heartbeat: NodeJS.Timeout
  /** Told of each run that is new or has changed its state, once `watch-runs` was asked for. */
  onRun: ((row: RunRow) => void) | null = null
  #nextRequest = 1
  #end: Closed | null = null

  /** @throws {ChannelError} unreachable, wrong key, wrong role, wrong version, or refused */
  static async open(dialer: Dialer): Promise<BrokerConnection> {
    return new BrokerConnection(await dialer.dialAsOperator(operatorIdentity()))
  }

  constructor(connection: OperatorConnection) {
    this.#connection = connection
    connection.onMessage((message) => this.#receive(message))
    void connection.closed.then((closed) => this.#closed(closed))
    this.#heartbeat = setInterval(() => connection.send({ type: 'heartbeat' }), heartbeatMs)
    this.#heartbeat.unref()
  }

  get closed(): Promise<Closed> {
    return this.#connection.closed
  }

  /**
   * Asks the broker and waits for its answer.
   *
   * @throws {RunnerError} RUNNER_REFUSED with the broker's text and exit code; RUNNER_BROKER_LOST when the connection ends
   */
  request<T extends RequestType>(type: T, fields: RequestFields<T>): Promise<OperatorResults[T]> {
    if (this.#end !== null) return Promise.reject(lost(this.#end))
    const requestId = this.#nextRequest++
    return new Promise<OperatorResults[T]>((resolve, reject) => {
      this.#waiting.set(requestId, { resolve: resolve as (result: unknown) => void, reject })
      this.#connection.send({ ...fields, type, requestId } as unknown as OperatorToBroker)
    })
  }

  /** Gives the broker a bundle, unless it has one with this hash. */
  async putBundle(hash: string, bytes: Uint8Array): Promise<void> {
    const { known } = await this.request('has-bundle', { hash })
    if (known) return
    for (let from = 0; from === 0 || from < bytes.length; from += partBytes) {
      const last = from + partBytes >= bytes.length
      await this.request('put-bundle', { hash, last, bytes: bytes.subarray(from, from + partBytes) })
    }
  }

  /** Hands over the events of a run, in order, those that came before this call included. */
  onEvent(runId: string, handler: (message: EventMessage) => void): void {
    this.#handlers.set(runId, handler)
    const early = this.#early.get(runId) ?? []
    this.#early.delete(runId)
    for (const message of early) this.#deliver(handler, message)
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat)
    await this.#connection.close()
  }

  #receive(message: BrokerToOperator): void {
    switch (message.type) {
      case 'reply':
        return this.#answer(message.requestId)?.resolve(message.result)
      case 'refusal':
        return this.#answer(message.requestId)?.reject(
          new RunnerError('RUNNER_REFUSED', message.message, message.exitCode),
        )
      case 'event': {
        const handler = this.#handlers.get(message.runId)
        if (handler !== undefined) return this.#deliver(handler, message)
        this.#early.set(message.runId, [...(this.#early.get(message.runId) ?? []), message])
        return
      }
      case 'run':
        return this.onRun?.(message.row)
      case 'heartbeat':
        return
    }
  }

  #deliver(handler: (message: EventMessage) => void, message: EventMessage): void {
    handler(message)
    this.#connection.send({ type: 'received', runId: message.runId, sequence: message.sequence })
  }

  #answer(requestId: number): Waiting | undefined {
    const waiting = this.#waiting.get(requestId)
    this.#waiting.delete(requestId)
    return waiting
  }

  #closed(closed: Closed): void {
    this.#end = closed
    clearInterval(this.#heartbeat)
    for (const { reject } of this.#waiting.values()) reject(lost(closed))
    this.#waiting.clear()
  }
}

function lost(closed: Closed): RunnerError {
  return new RunnerError(
    'RUNNER_BROKER_LOST',
    `the connection to the broker has ended: ${closed.message || closed.reason}`,
  )
}

function operatorIdentity(): Identity {
  return {
    id: `${userName()}@${hostname()}`,
    incarnation: randomUUID(),
    host: hostname(),
    pid: process.pid,
    version,
    slots: 0,
    labels: {},
  }
}

/** A user without an entry in the password file has no name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'operator')
  }
}
