import type {
  Annotation,
  Dialer,
  OperatorConnection,
  OperatorToBroker,
  RunEvent,
  RunRow,
} from '@loads-runner/protocol'
import type { RunSource } from '../../src/run-source.ts'

type Request = Extract<OperatorToBroker, { requestId: number }>
type Unnumbered<T> = T extends unknown ? Omit<T, 'requestId'> : never

/** The runs of a broker in this process, over one connection: as little as a test needs. */
export class BrokerSource implements RunSource {
  readonly #connection: OperatorConnection
  readonly #answers = new Map<number, { resolve: (result: any) => void; reject: (error: Error) => void }>()
  readonly #watchers = new Set<(row: RunRow) => void>()
  readonly #followers = new Map<string, (event: RunEvent) => void>()
  #requestId = 0

  private constructor(connection: OperatorConnection) {
    this.#connection = connection
    connection.onMessage((message) => {
      if (message.type === 'reply') this.#answers.get(message.requestId)?.resolve(message.result)
      else if (message.type === 'refusal')
        this.#answers
          .get(message.requestId)
          ?.reject(Object.assign(new Error(message.message), { code: message.code }))
      else if (message.type === 'run') for (const watcher of this.#watchers) watcher(message.row)
      else if (message.type === 'event') {
        this.#followers.get(message.runId)?.(message.event)
        connection.send({ type: 'received', runId: message.runId, sequence: message.sequence })
      }
    })
  }

  static async open(dialer: Dialer): Promise<BrokerSource> {
    const identity = {
      id: 'page@desk',
      incarnation: 'p1',
      host: 'desk',
      pid: 3,
      version: '0',
      slots: 0,
      labels: {},
    }
    const source = new BrokerSource(await dialer.dialAsOperator(identity))
    await source.#ask({ type: 'watch-runs' })
    return source
  }

  async runs(): Promise<RunRow[]> {
    return (await this.#ask({ type: 'list-runs' })).runs
  }

  onRun(handler: (row: RunRow) => void): () => void {
    this.#watchers.add(handler)
    return () => void this.#watchers.delete(handler)
  }

  async follow(runId: string, handler: (event: RunEvent) => void): Promise<() => void> {
    this.#followers.set(runId, handler)
    await this.#ask({ type: 'subscribe', runId })
    return () => void this.#followers.delete(runId)
  }

  async stop(runId: string, mode: 'drain' | 'cancel' | 'kill'): Promise<void> {
    await this.#ask({ type: 'stop', runId, mode, reason: 'operator' })
  }

  control(runId: string, change: { scenario: string | null; target: number | null; paused: boolean | null }) {
    return this.#ask({ type: 'control', runId, ...change })
  }

  async annotate(runId: string, annotation: Annotation): Promise<void> {
    await this.#ask({ type: 'annotate', runId, annotation })
  }

  #ask(request: Unnumbered<Request>): Promise<any> {
    const requestId = this.#requestId++
    return new Promise((resolve, reject) => {
      this.#answers.set(requestId, { resolve, reject })
      this.#connection.send({ ...request, requestId } as OperatorToBroker)
    })
  }
}
