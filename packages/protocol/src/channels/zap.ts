import { setTimeout as delay } from 'node:timers/promises'
import { z85Encode } from '../z85.ts'
import { loadTransport } from './zeromq.ts'
import type { Router } from './zeromq.ts'

/**
 * Says which CURVE keys may finish a handshake (ZAP, RFC 27). There is one handler per context, at a fixed address;
 * each listener has its own domain there.
 */
const zapAddress = 'inproc://zeromq.zap.01'

const domains = new Map<string, ReadonlySet<string>>()
let lastDomain = 0
let handler: Promise<Router> | null = null

/**
 * Admits exactly these public keys (Z85). Give `domain` to the socket that listens, and call `close` after closing it.
 */
export async function openDoor(publicKeys: string[]): Promise<{ domain: string; close(): Promise<void> }> {
  lastDomain += 1
  const domain = `loads-${lastDomain}`
  domains.set(domain, new Set(publicKeys))
  handler ??= startHandler()
  await handler
  return {
    domain,
    async close() {
      domains.delete(domain)
      if (domains.size > 0 || handler === null) return
      const last = handler
      handler = null
      const router = await last
      router.close()
    },
  }
}

async function startHandler(): Promise<Router> {
  const { zmq, context } = loadTransport()
  const router = new zmq.Router({ context, linger: 0 })
  // A handler closed a moment ago frees the address in the background.
  for (let attempt = 1; ; attempt++) {
    try {
      await router.bind(zapAddress)
      break
    } catch (error) {
      if (attempt === 100) throw error
      await delay(10)
    }
  }
  void answerAll(router)
  return router
}

async function answerAll(router: Router): Promise<void> {
  while (!router.closed) {
    try {
      const [peer, delimiter, version, requestId, domain, , , mechanism, key] = await router.receive()
      if (peer === undefined || version === undefined || requestId === undefined) continue
      const isKnown =
        String(mechanism) === 'CURVE' &&
        key?.length === 32 &&
        domains.get(String(domain))?.has(z85Encode(key)) === true
      const [status, text] = isKnown ? ['200', 'OK'] : ['400', 'Unknown key']
      await router.send([peer, delimiter ?? '', version, requestId, status, text, '', ''])
    } catch {
      // Closed while waiting: the condition above ends the loop. Anything else concerns one handshake.
    }
  }
}
