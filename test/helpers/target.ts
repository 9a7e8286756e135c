import { readFile } from 'node:fs/promises'
import { startTarget as startExampleTarget } from '../../examples/target/server.js'
import { cleanUpAfterTest } from './temporary.ts'

export interface Target {
  /** `http://localhost:PORT` */
  httpUrl: string
  /** `ws://localhost:PORT/ws` */
  wsUrl: string
  /** What the target itself has seen: the referee of every count. */
  count(): { http: number; websocket: number; messages: number }
  stop(): Promise<void>
}

/** The target of the examples on free ports; stopped after the test. */
export async function startTarget(): Promise<Target> {
  const target = await startExampleTarget({ httpPort: 0, wsPort: 0 })
  cleanUpAfterTest(() => target.stop())
  return target
}

/** `examples/example.ts` as it stands, with the addresses of this target. */
export async function exampleFor(target: Target): Promise<string> {
  const source = await readFile(new URL('../../examples/example.ts', import.meta.url), 'utf8')
  return source
    .replace('http://localhost:9200', target.httpUrl)
    .replace('ws://localhost:9000/ws', target.wsUrl)
}
