import type {
  BrokerToOperator,
  Connection,
  OperatorToBroker,
  RunEvent,
  SnapshotEvent,
} from '@loads-runner/protocol'

export type OperatorPeerConnection = Connection<BrokerToOperator, OperatorToBroker>

/** Events that may be under way to one subscriber before it says that it took them in. */
const maxUnreceived = 256
/** Bytes of deltas that may be under way to one subscriber. One event is always allowed. */
const maxUnreceivedBytes = 8 * 1024 * 1024

interface Subscriber {
  connection: OperatorPeerConnection
  /** Sequence number of the next event; counts what was sent, per subscriber. */
  next: number
  /** Sizes of the events that were sent and not yet received, oldest first. */
  sizes: number[]
  bytes: number
  /** It has missed something: only a snapshot is of use to it now. */
  behind: boolean
  skipped: number
}

/**
 * The event stream of one run. Each subscriber has its own window of unreceived events. One that is too slow misses
 * events, which are counted, and gets a fresh snapshot when it has caught up: nothing is kept for it meanwhile.
 */
export class Subscribers {
  readonly #runId: string
  readonly #snapshot: () => SnapshotEvent
  readonly #subscribers = new Map<OperatorPeerConnection, Subscriber>()
  #finished: RunEvent | null = null

  constructor(runId: string, snapshot: () => SnapshotEvent) {
    this.#runId = runId
    this.#snapshot = snapshot
  }

  get size(): number {
    return this.#subscribers.size
  }

  /** Begins with a snapshot. Adding a connection again starts its stream anew. */
  add(connection: OperatorPeerConnection): void {
    let subscriber = this.#subscribers.get(connection)
    if (subscriber === undefined) {
      subscriber = { connection, next: 0, sizes: [], bytes: 0, behind: true, skipped: 0 }
      this.#subscribers.set(connection, subscriber)
    }
    subscriber.behind = true
    this.#catchUp(subscriber)
  }

  remove(connection: OperatorPeerConnection): void {
    this.#subscribers.delete(connection)
  }

  publish(event: RunEvent): void {
    if (event.type === 'finished') this.#finished = event
    for (const subscriber of this.#subscribers.values()) {
      if (isFull(subscriber)) subscriber.behind = true
      if (subscriber.behind) subscriber.skipped++
      else this.#send(subscriber, event)
    }
  }

  /** The subscriber has taken in everything up to `sequence`. Numbers that were never sent are ignored. */
  received(connection: OperatorPeerConnection, sequence: number): void {
    const subscriber = this.#subscribers.get(connection)
    if (subscriber === undefined || sequence >= subscriber.next) return
    const first = subscriber.next - subscriber.sizes.length
    const taken = subscriber.sizes.splice(0, Math.max(0, sequence - first + 1))
    for (const size of taken) subscriber.bytes -= size
    if (subscriber.behind && subscriber.sizes.length <= maxUnreceived / 2) this.#catchUp(subscriber)
  }

  #catchUp(subscriber: Subscriber): void {
    if (isFull(subscriber)) return
    const { skipped } = subscriber
    subscriber.behind = false
    subscriber.skipped = 0
    this.#send(subscriber, this.#snapshot(), skipped)
    if (this.#finished !== null) this.#send(subscriber, this.#finished)
  }

  #send(subscriber: Subscriber, event: RunEvent, skipped = 0): void {
    const size = 'delta' in event ? event.delta.length : 0
    subscriber.sizes.push(size)
    subscriber.bytes += size
    const sequence = subscriber.next++
    try {
      subscriber.connection.send({ type: 'event', runId: this.#runId, sequence, skipped, event })
    } catch {
      // An event beyond the size that a link takes; the run must not suffer from one of its watchers.
      this.remove(subscriber.connection)
    }
  }
}

function isFull(subscriber: Subscriber): boolean {
  const { sizes, bytes } = subscriber
  return sizes.length >= maxUnreceived || (sizes.length > 0 && bytes >= maxUnreceivedBytes)
}
