import path from 'node:path'
import type * as Grpc from '@grpc/grpc-js'
import type { UserContext } from '../../context.ts'
import { UsageError } from '../../errors.ts'
import { Guard } from '../../forgotten-promise.ts'
import { outsideInstrumentation } from '../../instrument/running-user.ts'
import { GrpcCall, type GrpcCallOptions } from './grpc-call.ts'
import {
  addressOf,
  channelOptions,
  credentialsOf,
  grpc,
  loadService,
  type GrpcMethodDefinition,
} from './grpc-service.ts'
import { GrpcStream } from './grpc-stream.ts'
import type { Server } from '../server.ts'

export interface GrpcOptions {
  /** `host:port`, or a URL with `grpc:` or `grpcs:` (TLS). Default: the server of the test. */
  address?: string
  /** Speak TLS, whatever the address says. */
  tls?: boolean
  /** Where imports of the .proto file are looked for, besides its own directory: relative to that of the tests. */
  includeDirs?: readonly string[]
}

/** A message as the .proto file says: fields by their names there, 64-bit integers and enums as text. */
// oxlint-disable-next-line typescript/no-explicit-any -- only the .proto file knows the types of the fields
export type GrpcMessage = Record<string, any>

/**
 * What a call gives: a promise of the answer, or a stream where the .proto file says `stream`. TypeScript cannot know
 * which; give `this.grpc` an interface of the service to say it.
 */
export type GrpcResult = Promise<GrpcMessage> & GrpcStream<GrpcMessage, GrpcMessage>

/** The methods of a service, by their names in the .proto file, and the same with a small first letter. */
export type GrpcClient = Readonly<
  Record<string, (request?: GrpcMessage, options?: GrpcCallOptions) => GrpcResult>
>

/** A channel of one user, and the client that speaks over it. */
export interface OpenChannel {
  readonly client: GrpcClient
  close(): void
}

/**
 * @param onStream gets each stream that begins
 * @throws {UsageError} a file, service or address that cannot be
 * @throws {ServerUrlError} no address is given, and no server is known
 */
export async function openChannel(
  file: string,
  service: string,
  options: GrpcOptions,
  context: UserContext,
  server: Server,
  onStream: (stream: GrpcStream) => void,
): Promise<OpenChannel> {
  const { target, directory } = context
  const { target: address, secure } = addressOf(options.address, options.tls, server)
  if (target.proxy !== null) {
    throw new UsageError('gRPC does not go through --proxy: run these tests without it')
  }
  const includeDirs = [directory, ...(options.includeDirs ?? []).map((each) => path.resolve(directory, each))]
  const methods = await loadService(path.resolve(directory, file), service, includeDirs)
  const channel = new (grpc().Client)(address, credentialsOf(target, secure), channelOptions)
  const client: Record<string, (request?: object, options?: GrpcCallOptions) => unknown> = Object.create(
    null,
  ) as never
  const begin = (definition: GrpcMethodDefinition) => {
    if (!definition.requestStream && !definition.responseStream) {
      return (request: object = {}, callOptions: GrpcCallOptions = {}) => {
        const guard = new Guard()
        return guard.keep(
          outsideInstrumentation(() => callUnary(guard, channel, definition, context, request, callOptions)),
        )
      }
    }
    return (request: object = {}, callOptions: GrpcCallOptions = {}) => {
      // Where requests are a stream there is none to give with the call: the first argument may be the options.
      const given = definition.requestStream && isOptions(request) ? request : callOptions
      const stream = outsideInstrumentation(() => openStream(channel, definition, context, request, given))
      onStream(stream)
      return stream
    }
  }
  for (const [name, definition] of methods) {
    const method = begin(definition)
    client[name] = method
    const small = name.charAt(0).toLowerCase() + name.slice(1)
    // A client with `then` would be taken for a promise.
    if (small !== 'then') client[small] ??= method
  }
  return { client: client as GrpcClient, close: () => channel.close() }
}

const optionNames: ReadonlySet<string> = new Set(['metadata', 'timeout', 'name', 'tags'])

function isOptions(given: object): given is GrpcCallOptions {
  return Object.keys(given).every((name) => optionNames.has(name))
}

const asItIs = (bytes: Buffer) => bytes

async function callUnary(
  guard: Guard,
  channel: Grpc.Client,
  definition: GrpcMethodDefinition,
  context: UserContext,
  request: object,
  options: GrpcCallOptions,
): Promise<object> {
  try {
    const call = new GrpcCall(definition, context, options)
    const bytes = serialized(call, definition, request)
    const { error, answer } = await new Promise<{
      error: Grpc.ServiceError | null
      answer?: object | undefined
    }>((resolve) => {
      const running = channel.makeUnaryRequest(
        definition.path,
        asItIs,
        call.deserializer(definition),
        bytes,
        call.metadata,
        call.options,
        (failure, value) => resolve({ error: failure, answer: value }),
      )
      call.runs(() => running.cancel())
    })
    const problem = call.end(error ?? { code: grpc().status.OK, details: '', metadata: call.metadata })
    if (problem !== null) throw problem
    return answer!
  } catch (error) {
    throw guard.failed(error)
  }
}

function openStream(
  channel: Grpc.Client,
  definition: GrpcMethodDefinition,
  context: UserContext,
  request: object,
  options: GrpcCallOptions,
): GrpcStream {
  const call = new GrpcCall(definition, context, options)
  const serialize = (message: object) => call.serialize(definition, message)
  const deserialize = call.deserializer(definition)
  if (!definition.requestStream) {
    const bytes = serialized(call, definition, request)
    const wire = channel.makeServerStreamRequest(
      definition.path,
      asItIs,
      deserialize,
      bytes,
      call.metadata,
      call.options,
    )
    return new GrpcStream(call, readOnly(wire), serialize)
  }
  // With one answer too: grpc-js has a call of its own for that, which differs in nothing on the wire.
  const wire = channel.makeBidiStreamRequest(
    definition.path,
    asItIs,
    deserialize,
    call.metadata,
    call.options,
  )
  return new GrpcStream(call, wire, serialize)
}

/** A message that does not fit is no request: nothing is recorded. */
function serialized(call: GrpcCall, definition: GrpcMethodDefinition, request: object): Buffer {
  try {
    return call.serialize(definition, request)
  } catch (error) {
    call.abandon()
    throw error
  }
}

function readOnly(wire: Grpc.ClientReadableStream<object>) {
  return { cancel: () => wire.cancel(), on: wire.on.bind(wire) as Grpc.ClientReadableStream<object>['on'] }
}
