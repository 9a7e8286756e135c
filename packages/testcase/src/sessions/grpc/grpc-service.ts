import { createRequire } from 'node:module'
import path from 'node:path'
import type * as Grpc from '@grpc/grpc-js'
import type * as ProtoLoader from '@grpc/proto-loader'
import type { TargetOptions } from '../../context.ts'
import { UsageError } from '../../errors.ts'
import type { Server } from '../server.ts'

const require = createRequire(import.meta.url)

let loadedGrpc: typeof Grpc | null = null
let loadedLoader: typeof ProtoLoader | null = null

/** Loaded when first used: most runs speak no gRPC. */
export function grpc(): typeof Grpc {
  return (loadedGrpc ??= require('@grpc/grpc-js') as typeof Grpc)
}

function protoLoader(): typeof ProtoLoader {
  return (loadedLoader ??= require('@grpc/proto-loader') as typeof ProtoLoader)
}

export type GrpcMethodDefinition = Grpc.MethodDefinition<object, object>

/** Each file is read once for all users of the load thread. */
const files = new Map<string, Promise<ProtoLoader.PackageDefinition>>()

/**
 * The methods of a service, by their names in the .proto file.
 *
 * @param file absolute
 * @param includeDirs where imports of the file are looked for, after the directory of the file
 * @throws {UsageError} no such file, or none that can be read; no such service
 */
export async function loadService(
  file: string,
  service: string,
  includeDirs: readonly string[],
): Promise<Map<string, GrpcMethodDefinition>> {
  const definition = await loadFile(file, [path.dirname(file), ...includeDirs])
  const found = definition[service]
  if (found === undefined || !isService(found)) {
    const services = Object.keys(definition).filter((name) => isService(definition[name]!))
    throw new UsageError(
      `${file} has no service "${service}"; it has ${services.length === 0 ? 'none' : services.join(', ')}. ` +
        'Give the name with its package: "package.Service".',
    )
  }
  return new Map(Object.entries(found) as [string, GrpcMethodDefinition][])
}

function loadFile(file: string, includeDirs: string[]): Promise<ProtoLoader.PackageDefinition> {
  const key = [file, ...includeDirs].join('\0')
  let loading = files.get(key)
  if (loading === undefined) {
    loading = protoLoader()
      .load(file, { includeDirs, keepCase: true, longs: String, enums: String, defaults: true, oneofs: true })
      .catch((cause: unknown) => {
        files.delete(key)
        throw new UsageError(`${file} cannot be read as a .proto file: ${(cause as Error).message}`, {
          cause,
        })
      })
    files.set(key, loading)
  }
  return loading
}

function isService(definition: ProtoLoader.AnyDefinition): definition is ProtoLoader.ServiceDefinition {
  return !('format' in definition)
}

/** Where a channel goes. */
export interface GrpcAddress {
  /** `host:port`. */
  target: string
  secure: boolean
}

/**
 * @param address `host:port`, or a URL with `grpc: grpcs: http: https:`; by default that of the server
 * @throws {UsageError} not an address
 * @throws {ServerUrlError} none is given, and no server is known
 */
export function addressOf(
  address: string | undefined,
  tls: boolean | undefined,
  server: Server,
): GrpcAddress {
  const text = address ?? server.resolve('/').origin
  const scheme = /^(grpc|grpcs|http|https):\/\//i.exec(text)?.[1]?.toLowerCase() ?? ''
  const rest = scheme === '' ? text : text.slice(scheme.length + 3).replace(/\/$/, '')
  if (!URL.canParse(`http://${rest}`) || new URL(`http://${rest}`).pathname !== '/' || rest.includes('@')) {
    throw new UsageError(
      `"${text}" is no gRPC address: give "host:port", "grpc://host:port" or "grpcs://host:port"`,
    )
  }
  const secure = tls ?? scheme.endsWith('s')
  const { hostname, port } = new URL(`http://${rest}`)
  const known = port !== '' ? port : rest.endsWith(':80') || !secure ? '80' : '443'
  return { target: `${hostname}:${known}`, secure }
}

const secureCredentials = new WeakMap<TargetOptions, Grpc.ChannelCredentials>()

/** How the server is trusted, from `--insecure --ca --cert --key`. */
export function credentialsOf(target: TargetOptions, secure: boolean): Grpc.ChannelCredentials {
  const { credentials } = grpc()
  if (!secure) return credentials.createInsecure()
  let known = secureCredentials.get(target)
  if (known === undefined) {
    const pem = (text: string | null) => (text === null ? null : Buffer.from(text))
    try {
      known = credentials.createSsl(pem(target.ca), pem(target.key), pem(target.cert), {
        rejectUnauthorized: !target.insecure,
      })
    } catch (cause) {
      throw new UsageError(`--ca, --cert or --key hold no valid PEM: ${(cause as Error).message}`, { cause })
    }
    secureCredentials.set(target, known)
  }
  return known
}

/**
 * A channel of one user's own: no connection shared with other users, no proxy from the environment, no call that is
 * silently sent again, and a target that comes back is found within a second.
 */
export const channelOptions: Grpc.ClientOptions = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_retries': 0,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  'grpc.max_receive_message_length': 128 * 1024 * 1024,
}
