import type { IncomingMessage } from 'node:http'
import { Refusal } from './refusal.ts'

const mostBytes = 65_536

/** @throws {Refusal} 400, 413, 415 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/json *(;|$)/i.test(type))
    throw new Refusal(415, 'NOT_JSON', 'the body must be JSON: "Content-Type: application/json"')
  const tooLarge = () =>
    new Refusal(413, 'TOO_LARGE', `the body is larger than ${mostBytes} bytes`, { Connection: 'close' })
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) throw tooLarge()
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > mostBytes) throw tooLarge()
    parts.push(part)
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown
  } catch {
    throw new Refusal(400, 'BAD_JSON', 'the body is not JSON')
  }
}
