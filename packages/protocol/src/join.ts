import type { Role } from './channel.ts'
import { formatEndpoint, parseEndpoint } from './endpoint.ts'
import { ProtocolError } from './errors.ts'
import { checksum } from './keys.ts'
import type { BrokerKeys, CurvePair } from './keys.ts'
import { z85Decode, z85Encode } from './z85.ts'

/** Everything needed to dial a broker in one role. Holds secrets: never log it. */
export interface Join {
  role: Role
  host: string
  port: number
  /** The broker's public CURVE key, Z85. */
  serverKey: string
  /** The role's CURVE pair: it opens the door. */
  curve: CurvePair
  /** The role's Ed25519 seed, base64url: it signs the hello. */
  signingKey: string
}

/**
 * After `#`, as base64url: format (1 byte), broker's public key, the role's public and secret CURVE keys, the role's
 * Ed25519 seed (32 bytes each), and 4 bytes of checksum, which tell a damaged string from a wrong key.
 */
const format = 1
const checksumBytes = 4
const payloadBytes = 1 + 4 * 32 + checksumBytes

const example = 'loads://HOST:PORT/ROLE#KEYS'

/**
 * @param advertise `host:port` at which dialers reach the broker; IPv6 addresses in brackets.
 * @throws {ProtocolError} JOIN_INVALID when `advertise` is no such address.
 */
export function formatJoin(keys: BrokerKeys, role: Role, advertise: string): string {
  const endpoint = parseEndpoint(advertise)
  if (endpoint === null)
    throw new ProtocolError(
      'JOIN_INVALID',
      `${JSON.stringify(advertise)} is not an address that can be dialed. Write HOST:PORT, or [IPV6]:PORT.`,
    )
  const { curve, signing } = keys[role]
  const body = Buffer.concat([
    Uint8Array.of(format),
    ...[keys.server.publicKey, curve.publicKey, curve.secretKey].map((key) => z85Decode(key)!),
    Buffer.from(signing.secretKey, 'base64url'),
  ])
  const payload = Buffer.concat([body, checksum(body, checksumBytes)]).toString('base64url')
  return `loads://${formatEndpoint(endpoint.host, endpoint.port)}/${role}#${payload}`
}

/** @throws {ProtocolError} JOIN_INVALID, which says what is wrong and never repeats the keys. */
export function parseJoin(text: string): Join {
  const trimmed = text.trim()
  if (!trimmed.startsWith('loads://')) throw invalid(`It must look like ${example}`)
  const [front = '', payload, ...rest] = trimmed.slice('loads://'.length).split('#')
  if (payload === undefined || rest.length > 0)
    throw invalid('The part after # is missing: quote the string, or use @FILE')
  const [address = '', role, ...path] = front.split('/')
  if ((role !== 'agent' && role !== 'operator') || path.length > 0)
    throw invalid('Its path must be /agent or /operator')
  const endpoint = parseEndpoint(address)
  if (endpoint === null) throw invalid('It has no HOST:PORT')

  const bytes = Buffer.from(payload, 'base64url')
  if (bytes.length !== payloadBytes || bytes.toString('base64url') !== payload)
    throw invalid('It is cut off or damaged: copy all of it')
  if (bytes[0] !== format) throw invalid('It was made by another version of Loads: use the same version here')
  const body = bytes.subarray(0, -checksumBytes)
  if (!bytes.subarray(-checksumBytes).equals(checksum(body, checksumBytes)))
    throw invalid('It is damaged: copy all of it')

  const key = (index: number) => body.subarray(1 + index * 32, 33 + index * 32)
  return {
    role,
    ...endpoint,
    serverKey: z85Encode(key(0)),
    curve: { publicKey: z85Encode(key(1)), secretKey: z85Encode(key(2)) },
    signingKey: key(3).toString('base64url'),
  }
}

function invalid(reason: string): ProtocolError {
  return new ProtocolError('JOIN_INVALID', `This is not a usable join string. ${reason}.`)
}
