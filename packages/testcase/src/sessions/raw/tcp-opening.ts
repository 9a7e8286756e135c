import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { UserContext } from '../../context.ts'
import { toMillis, toTimerMillis } from '../../duration.ts'
import { UsageError } from '../../errors.ts'
import type { Tags } from '../../meter.ts'
import { Dialer } from '../dialer.ts'
import { attempt } from '../http/exchange-hit.ts'
import { parseHostPort } from '../host-port.ts'
import { TcpConnection } from './tcp-connection.ts'

export interface TcpOptions {
  /** Speak TLS, with `--ca --cert --key --insecure`. */
  tls?: boolean
  /** Time to connect: milliseconds or `'5s'`. Default: `--timeout`, else 30 s. */
  timeout?: number | string
  /** Name of the connection's series, in place of `host:port`. */
  name?: string
  tags?: Tags
  /** Most bytes that wait to be received; more is an error and ends the connection. Default 16 MiB. */
  maxBytes?: number
}

/** Bytes that wait are bounded: a target that sends without end must not fill the memory. */
const defaultMaxBytes = 16 * 1024 * 1024

/**
 * Opens a connection, as one hit.
 *
 * @param dialers of the user: they remember TLS sessions, so that the next connection resumes one
 * @throws {RequestError} it could not be opened
 * @throws {InterruptedError} the execution was cut
 * @throws {UsageError} an address that cannot be
 */
export async function openTcp(
  address: string,
  options: TcpOptions,
  context: UserContext,
  dialers: Map<string, Dialer>,
): Promise<TcpConnection> {
  const { text } = parseHostPort(address, 'tcp', 'this.tcp()')
  const url = `tcp://${text}`
  const { target } = context
  const { timeout, tls = false } = options
  if (target.proxy !== null) {
    throw new UsageError('raw TCP does not go through --proxy: run these tests without it')
  }
  const timeoutMs = toTimerMillis(timeout === undefined ? target.timeoutMs : toMillis(timeout))
  const origin = `${tls ? 'https' : 'http'}://${text}`
  const dialer = dialers.get(origin) ?? new Dialer(origin, target)
  dialers.set(origin, dialer)
  let socket: Socket | null = null
  return attempt(
    context,
    {
      kind: 'tcp',
      name: options.name ?? text,
      method: 'CONNECT',
      url,
      timeoutMs,
      tags: options.tags ?? null,
    },
    () => {
      const opening = (socket = dialer.dial(null, []))
      const result = new Promise<TcpConnection>((resolve, reject) => {
        opening.once('error', reject)
        opening.once(tls ? 'secureConnect' : 'connect', () => {
          if (tls) context.meter.connection((opening as TLSSocket).isSessionReused() ? 'tls-resumed' : 'tls')
          opening.removeListener('error', reject)
          resolve(new TcpConnection(opening, url, context, options.maxBytes ?? defaultMaxBytes))
        })
        opening.once('close', () => reject(new Error('closed')))
      })
      return { result, stop: (reason) => opening.destroy(reason) }
    },
    () => ({ in: 0, out: 0 }),
  ).catch((error: unknown) => {
    socket?.destroy()
    throw error
  })
}
