import type { IncomingMessage } from 'node:http'
import { badBody, Refusal } from './refusal.ts'

/** Larger bodies are refused. */
const mostBytes = 1_048_576
/** So much of a body that is too large is read and dropped, so that its sender gets to read the answer. */
const mostDropped = 16 * mostBytes

/** @throws {Refusal} 400: not JSON; 413: too large */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let size = 0
  const all = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  for await (const part of all) {
    size += part.length
    if (size > mostDropped) break
    if (size <= mostBytes) parts.push(part)
    else parts.length = 0
  }
  if (size > mostBytes)
    throw new Refusal(413, `the body is larger than ${mostBytes} bytes; send less at a time`, {
      headers: { connection: 'close' },
    })
  if (size === 0) throw badBody('it is empty; send JSON')
  try {
    return JSON.parse(Buffer.concat(parts, size).toString('utf8')) as unknown
  } catch (error) {
    throw badBody(`it is not JSON: ${(error as Error).message.slice(0, 200)}`)
  }
}
