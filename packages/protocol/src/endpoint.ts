import { isIPv6 } from 'node:net'

export interface Endpoint {
  /** Name or address; IPv6 without brackets. */
  host: string
  port: number
}

/** Reads `host:port` or `[ipv6]:port`; null for anything else. */
export function parseEndpoint(text: string): Endpoint | null {
  const match = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text)
  if (match === null) return null
  const [, address, name, digits] = match
  const port = Number(digits)
  if (port < 1 || port > 65535) return null
  if (address !== undefined) return isIPv6(address) ? { host: address, port } : null
  return { host: name!, port }
}

export function formatEndpoint(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}
