import { lookup } from 'node:dns/promises'

/** Whether a proxy that listens at `bound` does what `given` asks for. Names are resolved. */
export async function isSameAddress(given: string, bound: string): Promise<boolean> {
  if (given === bound) return true
  const [, scheme = '', host, port] = /^(tls:\/\/)?(.*):(\d+)$/.exec(given) ?? []
  if (host === undefined || port === '0') return false
  const name = host.replace(/^\[(.*)\]$/, '$1')
  try {
    const { address, family } = await lookup(name === '' ? '0.0.0.0' : name)
    const shown = family === 6 ? `[${address}]` : address
    return (
      bound.replace(/^tls:\/\//, '') === `${shown}:${port}` && (scheme === '' || bound.startsWith(scheme))
    )
  } catch {
    return false
  }
}
