import type { Attribute } from '../attributes.ts'
import { ChaosError } from '../errors.ts'
import { parseAddress } from '../proxy/address.ts'

/** An address as proxies take it; a port alone is one of this machine. */
export function address(what: 'listen' | 'backend', help: string): Attribute<string> {
  return {
    help,
    initial: '',
    allowed: `HOST:PORT, such as ${what === 'listen' ? '127.0.0.1:0' : 'localhost:6379'}, or tls://HOST:PORT`,
    read(value) {
      if (typeof value !== 'string' && typeof value !== 'number') return undefined
      const text = /^\d+$/.test(String(value)) ? `127.0.0.1:${value}` : String(value).trim()
      try {
        parseAddress(text, what)
        return text
      } catch (error) {
        if (error instanceof ChaosError) return undefined
        throw error
      }
    },
    show: (value) => value,
  }
}
