import { UsageError } from '../errors.ts'

export interface HostPort {
  /** Without brackets. */
  host: string
  port: number
  /** As it goes into names: `host:port`. */
  text: string
}

/**
 * @param what the call, for messages: `this.tcp()`
 * @throws {UsageError} not `host:port`, `[address]:port` or that with a scheme in front
 */
export function parseHostPort(address: string, scheme: 'tcp' | 'udp', what: string): HostPort {
  const text = String(address).replace(new RegExp(`^${scheme}://`, 'i'), '')
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^\s:/@[\]]+)):(\d{1,5})$/i.exec(text)
  const port = Number(match?.[3])
  if (match === null || port < 1 || port > 65_535) {
    throw new UsageError(`${what}: "${address}" is no address; give "host:port" or "[::1]:port"`)
  }
  return { host: (match[1] ?? match[2])!, port, text }
}
