import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import type { TargetOptions } from '../../context.ts'
import { Tunnel, tlsSettingsOf } from '../connector.ts'

/** Connects through an HTTP proxy, in the form that `http.request` asks for. */
export function tunnelThrough(proxy: string, target: TargetOptions) {
  return (options: TunnelOptions, callback: (error: Error | null, socket?: Duplex) => void) => {
    const secure = options.protocol === 'https:' || options.defaultPort === 443
    const host = options.host ?? 'localhost'
    new Tunnel(proxy, host, Number(options.port ?? (secure ? 443 : 80))).open().then((socket) => {
      if (!secure) return callback(null, socket)
      const servername = isIP(host) === 0 ? host : ''
      callback(null, connect({ ...tlsSettingsOf(target), socket, servername }))
    }, callback)
    return undefined
  }
}

interface TunnelOptions {
  host?: string | null
  port?: string | number | null
  protocol?: string | null
  defaultPort?: string | number
}
