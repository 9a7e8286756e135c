import { Duplex } from 'node:stream'
import { Client } from 'undici'
import { maxHeadBytes } from '../../src/sessions/http/answer-head.ts'
import { AnswerParser } from '../../src/sessions/http/answer-parser.ts'
import { headMemoOf } from '../../src/sessions/http/head-memo.ts'
import { readBuffer } from '../../src/sessions/http/read-buffer.ts'
import { ResponseHeaders } from '../../src/sessions/http/response-headers.ts'

/** What a reader makes of the bytes of an answer, and the end of the connection behind them. */
export type Reading =
  { status: number; headers: [string, string][]; body: string; rest: number } | { error: string }

/** Reads pieces with our parser; after the last one the connection ends. */
export function readOurs(
  pieces: readonly Buffer[],
  isHead: boolean,
  maxBodyBytes = 1e6,
  parser = new AnswerParser(),
): Reading {
  parser.begin(isHead, maxBodyBytes, headMemoOf('test'))
  try {
    let left = 0
    for (const piece of pieces) left += piece.length
    for (const piece of pieces) {
      // Pieces of a connection lie in the read buffer, and what was there before lies behind them.
      piece.copy(readBuffer)
      const stop = parser.feed(readBuffer, 0, piece.length)
      left -= stop
      if (parser.done) return ourAnswer(parser, left)
      if (stop !== piece.length) return { error: 'stopped in the middle' }
    }
    return parser.end() ? ourAnswer(parser, 0) : { error: 'not complete' }
  } catch (error) {
    return { error: (error as Error).message }
  }
}

function ourAnswer(parser: AnswerParser, rest: number): Reading {
  const body = parser.body ?? ''
  return {
    status: parser.head.status,
    headers: [...new ResponseHeaders(parser.headText)],
    body: typeof body === 'string' ? body : body.toString('latin1'),
    rest,
  }
}

/** Reads pieces with undici, over a socket that is none. */
export async function readUndici(pieces: readonly Buffer[], isHead: boolean): Promise<Reading> {
  const socket = new FakeSocket()
  const client = new Client('http://localhost', {
    connect: (_options, callback) => void setImmediate(() => callback(null, socket as never)),
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: maxHeadBytes,
  })
  try {
    return await new Promise((resolve) => {
      let status = 0
      let headers: Buffer[] = []
      const body: Buffer[] = []
      const request = { path: '/', method: isHead ? ('HEAD' as const) : ('GET' as const), reset: false }
      client.dispatch(request, {
        onConnect() {
          void feed(socket, pieces)
        },
        onHeaders(code: number, list: Buffer[]) {
          status = code
          headers = list
          return true
        },
        onData(chunk: Buffer) {
          body.push(Buffer.from(chunk))
          return true
        },
        onComplete() {
          resolve({
            status,
            headers: [...new ResponseHeaders(headers)],
            body: Buffer.concat(body).toString('latin1'),
            rest: 0,
          })
        },
        onError(error: Error) {
          resolve({ error: error.message })
        },
      })
    })
  } finally {
    await client.destroy()
  }
}

async function feed(socket: FakeSocket, pieces: readonly Buffer[]): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  for (const piece of pieces) {
    if (socket.destroyed) return
    if (piece.length === 0) continue
    socket.push(piece)
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (!socket.destroyed) socket.push(null)
}

/** As much of a socket as undici asks for. */
class FakeSocket extends Duplex {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, callback: () => void): void {
    callback()
  }
  setTimeout(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
}

/** Cuts bytes at these places. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b)
  const pieces: Buffer[] = []
  let start = 0
  for (const end of [...at, bytes.length]) {
    pieces.push(bytes.subarray(start, end))
    start = end
  }
  return pieces
}
