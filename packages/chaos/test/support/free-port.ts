import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below those that systems give to connections: nobody takes it by chance between here and the start of a server. */
const [lowest, highest] = [20_000, 32_000]

/** A port that was free a moment ago, for servers that cannot take any. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest))
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
