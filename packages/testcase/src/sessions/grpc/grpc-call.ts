import type * as Grpc from '@grpc/grpc-js'
import type { UserContext } from '../../context.ts'
import { toMillis, toTimerMillis } from '../../duration.ts'
import { GrpcError, InterruptedError, UsageError } from '../../errors.ts'
import type { Tags } from '../../meter.ts'
import { AbortWatch } from '../abort-watch.ts'
import { grpc, type GrpcMethodDefinition } from './grpc-service.ts'
import { traceParentOf } from '../trace-header.ts'

/** Options of one call. */
export interface GrpcCallOptions {
  /** Names end in `-bin` where values are bytes. */
  metadata?: Readonly<Record<string, string | Uint8Array>>
  /** Time for the whole call, of a stream too: milliseconds or `'5s'`. Default: `--timeout`, else 30 s. */
  timeout?: number | string
  /** Name of the series, in place of `package.Service/Method`. */
  name?: string
  /** A few words that split the series further; never ids. */
  tags?: Tags
}

/** What is common to calls of every kind: one hit, from the call to its status. */
export class GrpcCall {
  /** `package.Service/Method`. */
  readonly method: string
  readonly context: UserContext
  readonly startedAt = performance.now()
  readonly metadata: Grpc.Metadata
  readonly options: Grpc.CallOptions
  bytesIn = 0
  bytesOut = 0
  readonly #name: string
  readonly #tags: Tags | null
  readonly #watch: AbortWatch
  #cancelled: 'test' | 'run' | null = null
  #cancel: (() => void) | null = null
  #ended = false

  /**
   * @throws {InterruptedError} the execution was cut
   * @throws {UsageError} a timeout or metadata that cannot be
   */
  constructor(definition: GrpcMethodDefinition, context: UserContext, options: GrpcCallOptions) {
    this.method = definition.path.slice(1)
    this.context = context
    this.#name = options.name ?? this.method
    this.#tags = options.tags ?? null
    const { signal, target } = context
    if (signal.aborted) throw new InterruptedError(this.#name, signal.reason)
    const traceParent = traceParentOf(context)
    this.metadata = metadataOf({
      ...(traceParent === null ? {} : { traceparent: traceParent }),
      ...options.metadata,
    })
    const timeoutMs = toTimerMillis(
      options.timeout === undefined ? target.timeoutMs : toMillis(options.timeout),
    )
    this.options = { deadline: Date.now() + timeoutMs }
    this.#watch = new AbortWatch(() => this.cancel('run'))
    this.#watch.follow(signal)
  }

  /** Says how the call is cut. */
  runs(cancel: () => void): void {
    this.#cancel = cancel
  }

  cancel(by: 'test' | 'run'): void {
    if (this.#ended) return
    this.#cancelled ??= by
    this.#cancel?.()
  }

  /** Counts the bytes of an answer. */
  deserializer(definition: GrpcMethodDefinition): (bytes: Buffer) => object {
    return (bytes) => {
      this.bytesIn += bytes.length
      return definition.responseDeserialize(bytes)
    }
  }

  /**
   * The bytes of a message of the test.
   *
   * @throws {UsageError} it does not fit the .proto file
   */
  serialize(definition: GrpcMethodDefinition, message: object): Buffer {
    if (typeof message !== 'object' || message === null) {
      throw new UsageError(`${this.method}: a message is an object with the fields of the .proto file`)
    }
    let bytes: Buffer
    try {
      bytes = definition.requestSerialize(message)
    } catch (cause) {
      throw new UsageError(
        `${this.method}: the message does not fit the .proto file: ${(cause as Error).message}`,
        {
          cause,
        },
      )
    }
    this.bytesOut += bytes.length
    return bytes
  }

  /** It was not sent: there is no hit. */
  abandon(): void {
    this.#ended = true
    this.#watch.follow(null)
  }

  /** Records the hit; null when the call ended well or the test itself cut it, else what the test gets to see. */
  end(status: Grpc.StatusObject | Grpc.ServiceError): Error | null {
    this.#ended = true
    this.#watch.follow(null)
    const cut = status.code === grpc().status.CANCELLED ? this.#cancelled : null
    const name = cut === 'run' ? 'interrupted' : nameOf(status.code)
    const failed = status.code !== grpc().status.OK && cut === null
    const micros = Math.round((performance.now() - this.startedAt) * 1000)
    this.context.meter.hit(
      'grpc',
      this.#name,
      '',
      name,
      failed,
      micros,
      this.bytesIn,
      this.bytesOut,
      this.#tags,
    )
    if (cut === 'run') return new InterruptedError(this.#name)
    if (!failed) return null
    return new GrpcError({
      status: name,
      details: status.details,
      metadata: plainMetadata(status.metadata),
      method: this.method,
      cause: status instanceof Error ? status : undefined,
    })
  }
}

function nameOf(code: number): string {
  return grpc().status[code] ?? `status ${code}`
}

function metadataOf(values: Readonly<Record<string, string | Uint8Array>>): Grpc.Metadata {
  const metadata = new (grpc().Metadata)()
  for (const [name, value] of Object.entries(values)) {
    try {
      metadata.add(name, typeof value === 'string' ? value : Buffer.from(value))
    } catch (cause) {
      throw new UsageError(`metadata "${name}": ${(cause as Error).message}`, { cause })
    }
  }
  return metadata
}

function plainMetadata(metadata: Grpc.Metadata | undefined): Record<string, string> {
  const plain: Record<string, string> = {}
  for (const [name, value] of Object.entries(metadata?.getMap() ?? {})) {
    plain[name] = typeof value === 'string' ? value : value.toString('base64')
  }
  return plain
}
