import { createInProcessChannel } from '@loads-runner/protocol'
import type {
  BrokerToOperator,
  Connection,
  Dialer,
  Listener,
  OperatorToBroker,
  RunEvent,
} from '@loads-runner/protocol'

type Request = Extract<OperatorToBroker, { requestId: number }>
type Console = Connection<BrokerToOperator, OperatorToBroker>
/** A result, or a refusal. */
type Answer = object | { refuse: string; exitCode: number }

/** A broker that says what a test tells it to, over a real in-process channel. */
export class FakeBroker {
  readonly dialer: Dialer
  readonly requests: Request[] = []
  readonly received: number[] = []
  /** Answers by request type; {} for anything else. */
  readonly answers: Partial<Record<Request['type'], Answer | ((request: Request) => Answer)>> = {
    submit: { runId: 'r1' },
    subscribe: { runId: 'r1' },
    'has-bundle': { known: false },
    stop: { state: 'draining' },
  }
  readonly #listener: Listener
  readonly #waiting = new Set<() => void>()
  #console: Console | null = null
  #sequence = 0

  constructor() {
    const { listener, dialer } = createInProcessChannel()
    this.#listener = listener
    this.dialer = dialer
    listener.onPeer((peer) => {
      if (peer.role !== 'operator') return
      this.#console = peer.connection
      peer.connection.onMessage((message) => this.#take(peer.connection, message))
      this.#wake()
    })
  }

  publish(...events: RunEvent[]): void {
    for (const event of events) {
      this.#console!.send({ type: 'event', runId: 'r1', sequence: this.#sequence++, skipped: 0, event })
    }
  }

  /** The requests of a type so far. */
  of<T extends Request['type']>(type: T): Extract<Request, { type: T }>[] {
    return this.requests.filter((request): request is Extract<Request, { type: T }> => request.type === type)
  }

  /** Resolves as soon as the condition holds; it is looked at after each message. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.add(resolve))
  }

  /** Ends the connection of the console, as a broker does that goes away. */
  async hangUp(): Promise<void> {
    const gone = this.#console
    this.#console = null
    await gone?.close()
  }

  get connected(): boolean {
    return this.#console !== null
  }

  async close(): Promise<void> {
    await this.#listener.close()
  }

  #take(connection: Console, message: OperatorToBroker): void {
    if (message.type === 'received') this.received.push(message.sequence)
    if ('requestId' in message) {
      this.requests.push(message)
      const scripted = this.answers[message.type] ?? {}
      const answer = typeof scripted === 'function' ? scripted(message) : scripted
      const { requestId } = message
      if ('refuse' in answer) {
        const { refuse, exitCode } = answer as { refuse: string; exitCode: number }
        connection.send({ type: 'refusal', requestId, code: 'TEST', message: refuse, exitCode })
      } else connection.send({ type: 'reply', requestId, result: answer })
    }
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
