import { hostname } from 'node:os'
import process from 'node:process'
import {
  annotationSchema,
  codec,
  type Annotation,
  type OperatorResults,
  type OperatorToBroker,
} from '@loads-runner/protocol'
import type { AgentRegistry, RegisteredAgent } from './agent-registry.ts'
import { defaultMaxBundleBytes, tooLarge, type BundleStore } from './bundle-store.ts'
import { BundleError, messageOf, Refusal } from './errors.ts'
import type { RunTable } from './run-table.ts'
import type { Log } from './run-voice.ts'
import type { OperatorPeerConnection } from './subscribers.ts'

type Request = Extract<OperatorToBroker, { requestId: number }>
type RequestOf<T extends Request['type']> = Extract<Request, { type: T }>

/** Requests of one console that may wait for those before them. */
const maxWaiting = 1000

export interface OperatorDeskOptions {
  registry: AgentRegistry
  runs: RunTable
  bundles: BundleStore
  maxBundleBytes?: number
  version: string
  address: () => string
  log: Log
  /** Who asks: `user@host`. */
  operator: string
  /** A console says that a local agent of its own has exited. */
  onAgentExited: (agent: RegisteredAgent, note: string) => void
}

/** Serves one console: its requests one after the other, each answered once. */
export class OperatorDesk {
  readonly #connection: OperatorPeerConnection
  readonly #options: OperatorDeskOptions
  #upload: { hash: string; parts: Uint8Array[]; length: number } | null = null
  #queue: Promise<void> = Promise.resolve()
  #waiting = 0
  #gone = false

  constructor(connection: OperatorPeerConnection, options: OperatorDeskOptions) {
    this.#connection = connection
    this.#options = options
  }

  take(message: OperatorToBroker): void {
    if (message.type === 'heartbeat') return
    if (message.type === 'received') {
      this.#options.runs.get(message.runId)?.subscribers.received(this.#connection, message.sequence)
      return
    }
    if (this.#waiting >= maxWaiting) {
      this.#refuse(
        message,
        new Refusal('TOO_MANY_REQUESTS', 'too many requests are waiting; wait for answers', 4),
      )
      return
    }
    this.#waiting++
    // One after the other: a `submit` sees the bundle that was put just before it.
    this.#queue = this.#queue.then(() => this.#serve(message))
  }

  /** The link has ended. */
  gone(): void {
    this.#gone = true
    this.#upload = null
    this.#options.runs.operatorGone(this.#connection)
  }

  async #serve(message: Request): Promise<void> {
    this.#waiting--
    try {
      await this.#answer(message)
    } catch (error) {
      this.#refuse(message, error)
    }
  }

  #refuse({ requestId, type }: Request, error: unknown): void {
    let refusal = error
    if (error instanceof BundleError) refusal = new Refusal(error.code, error.message, 4)
    if (!(refusal instanceof Refusal)) {
      this.#options.log(
        'error',
        `request ${type} failed: ${error instanceof Error ? error.stack : String(error)}`,
      )
      refusal = new Refusal(
        'BROKER_DEFECT',
        `${type} failed in the broker: ${messageOf(error)}; see its log`,
        70,
      )
    }
    const { code, message, exitCode } = refusal as Refusal
    this.#connection.send({ type: 'refusal', requestId, code, message, exitCode })
  }

  #reply<T extends Request['type']>(request: RequestOf<T>, result: OperatorResults[T]): void {
    this.#connection.send({ type: 'reply', requestId: request.requestId, result })
  }

  async #answer(request: Request): Promise<void> {
    const { runs, bundles, operator } = this.#options
    switch (request.type) {
      case 'ping':
        return this.#reply<'ping'>(request, this.#ping())
      case 'list-runs':
        return this.#reply<'list-runs'>(request, { runs: runs.rows() })
      case 'watch-runs':
        // Not before the answer: what a watcher hears first is how everything stands.
        this.#reply<'watch-runs'>(request, { runs: runs.rows() })
        if (!this.#gone) runs.watch(this.#connection)
        return
      case 'annotate':
        runs.find(request.runId).annotate(this.#connection, operator, checked(request.annotation))
        return this.#reply<'annotate'>(request, {})
      case 'has-bundle':
        return this.#reply<'has-bundle'>(request, { known: await bundles.has(request.hash) })
      case 'put-bundle':
        await this.#putBundle(request)
        return this.#reply<'put-bundle'>(request, {})
      case 'submit':
        return this.#submit(request)
      case 'subscribe': {
        const run = request.runId === null ? runs.onlyActive() : runs.find(request.runId)
        this.#reply<'subscribe'>(request, { runId: run.id })
        if (!this.#gone) run.subscribers.add(this.#connection)
        return
      }
      case 'stop': {
        const run = runs.find(request.runId)
        run.stop(request.mode, request.reason, operator)
        return this.#reply<'stop'>(request, { state: run.state })
      }
      case 'control':
        return this.#reply<'control'>(request, runs.find(request.runId).control(request, operator))
      case 'purge': {
        const active = runs.active()
        for (const run of active) run.stop('cancel', 'operator', operator)
        return this.#reply<'purge'>(request, { stopped: active.map((run) => run.id) })
      }
      case 'set-up-done':
        runs.find(request.runId).setUpDone(this.#connection, request.data, request.error)
        return this.#reply<'set-up-done'>(request, {})
      case 'tear-down-done':
        runs.find(request.runId).tearDownDone(this.#connection, request.error)
        return this.#reply<'tear-down-done'>(request, {})
      case 'agent-exited': {
        const agent = this.#options.registry.get(request.agent)
        if (agent !== undefined) this.#options.onAgentExited(agent, request.note)
        return this.#reply<'agent-exited'>(request, {})
      }
    }
  }

  #ping(): OperatorResults['ping'] {
    const { registry, runs, version, address } = this.#options
    return {
      broker: hostname(),
      version,
      pid: process.pid,
      address: address(),
      agents: registry.rows(),
      activeRuns: runs.active().length,
    }
  }

  async #submit(request: RequestOf<'submit'>): Promise<void> {
    const { runs } = this.#options
    const run = await runs.submit(request.spec, this.#connection)
    this.#reply<'submit'>(request, { runId: run.id })
    // Its events follow the answer, so that the console knows which run they are of.
    run.subscribers.add(this.#connection)
    if (this.#gone) run.operatorGone(this.#connection)
    runs.place()
  }

  async #putBundle({ hash, last, bytes }: RequestOf<'put-bundle'>): Promise<void> {
    const { bundles, log, maxBundleBytes = defaultMaxBundleBytes } = this.#options
    if (this.#upload?.hash !== hash) this.#upload = { hash, parts: [], length: 0 }
    const upload = this.#upload
    upload.length += bytes.length
    if (upload.length > maxBundleBytes) {
      this.#upload = null
      throw tooLarge(hash, maxBundleBytes)
    }
    upload.parts.push(bytes)
    if (!last) return
    this.#upload = null
    await bundles.put(hash, Buffer.concat(upload.parts, upload.length))
    log('debug', `bundle ${hash} (${upload.length} bytes) came from a console`)
  }
}

/** @throws {Refusal} BAD_ANNOTATION, which names the field */
function checked(annotation: unknown): Annotation {
  try {
    return codec.validate(annotationSchema, annotation)
  } catch (error) {
    throw new Refusal('BAD_ANNOTATION', `the annotation cannot be taken: ${messageOf(error)}`)
  }
}
