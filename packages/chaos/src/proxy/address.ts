import { lookup } from 'node:dns/promises'
import { isIP, isIPv6 } from 'node:net'
import { ChaosError } from '../errors.ts'

/** Where to listen, or where to connect to. */
export interface Address {
  host: string
  port: number
  /** `tls://` stood in front of it. */
  tls: boolean
}

/**
 * Reads HOST:PORT, [IPV6]:PORT, or either with `tls://` in front.
 *
 * @throws {ChaosError} CHAOS_ADDRESS
 */
export function parseAddress(text: string, what: 'listen' | 'backend'): Address {
  const [, tls, inner, name, digits] =
    /^(tls:\/\/)?(?:\[([^\][]+)\]|([^\][:/\s]*)):(\d{1,5})$/.exec(text.trim()) ?? []
  const port = Number(digits)
  const host = inner ?? name ?? ''
  const isHost = inner === undefined || isIPv6(inner.replace(/%.*$/, ''))
  if (digits === undefined || port > 65_535 || !isHost || (what === 'backend' && (host === '' || port === 0)))
    throw new ChaosError(
      'CHAOS_ADDRESS',
      `${what} must be HOST:PORT, such as ${what === 'listen' ? '127.0.0.1:0' : 'localhost:6379'}, not ${JSON.stringify(text)}${(text.match(/:/g)?.length ?? 0) > 2 && !text.includes('[') ? '; IPv6 stands in brackets: [::1]:6379' : ''}`,
    )
  return { host, port, tls: tls !== undefined }
}

/** What listens on `localhost` does so on 127.0.0.1; without a host, on all addresses of IPv4. */
export function hostToBind(host: string): string {
  if (host === '') return '0.0.0.0'
  return host.toLowerCase() === 'localhost' ? '127.0.0.1' : host
}

/** Whether listening there means the address that is bound already; port 0 never does. */
export async function isBoundTo(wanted: Address, bound: Address): Promise<boolean> {
  if (wanted.port !== bound.port || wanted.port === 0) return false
  const host = hostToBind(wanted.host)
  if (host === bound.host || isIP(host) !== 0) return host === bound.host
  const found = await lookup(host).catch(() => null)
  return found?.address === bound.host
}

export function showAddress({ host, port }: { host: string; port: number }): string {
  return isIPv6(host.replace(/%.*$/, '')) ? `[${host}]:${port}` : `${host}:${port}`
}
