import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below those that systems give to connections: nobody takes it by chance between here and the start of a server. */
const [lowest, highest] = [20_000, 32_000]

/** From anywhere, so that others who look for one at the same time look elsewhere; then one after the other: none twice. */
let last = lowest + Math.floor(Math.random() * (highest - lowest))

/** A port that was free a moment ago, for servers that cannot take any. */
export async function freePort(): Promise<number> {
  for (;;) {
    last = last + 1 < highest ? last + 1 : lowest
    const port = last
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
