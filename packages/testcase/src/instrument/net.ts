import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { statusOfError } from '../error-status.ts'
import { runningUser } from './running-user.ts'

/**
 * Counts the opening of TCP connections by `net.connect`, for clients that publish nothing: `connect host:port`. What
 * is said over them nobody but the client knows.
 */
export function instrumentNet(): void {
  subscribe('net.client.socket', (message) => {
    const user = runningUser('net')
    if (user === null) return
    const { socket } = message as { socket: Socket }
    const { context } = user
    const startedAt = performance.now()
    let ended = false
    const end = (address: string, status: string, failed: boolean) => {
      if (ended) return
      ended = true
      const micros = Math.round((performance.now() - startedAt) * 1000)
      context.meter.hit('tcp', `connect ${address}`, '', status, failed, micros, 0, 0, null)
    }
    socket.once('connect', () => {
      const { remoteAddress, remotePort } = socket
      end(remoteAddress === undefined ? 'pipe' : `${remoteAddress}:${remotePort}`, 'ok', false)
    })
    // Not 'error': who listens to that takes it from a client that does not.
    socket.once('close', () => {
      const error = socket.errored as (Error & { address?: string; port?: number; hostname?: string }) | null
      const status = error === null ? 'interrupted' : statusOfError(error, context.signal)
      const host = error?.address ?? error?.hostname ?? 'unknown'
      end(error?.port === undefined ? host : `${host}:${error.port}`, status, status !== 'interrupted')
    })
  })
}
