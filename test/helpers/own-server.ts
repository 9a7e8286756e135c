import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cleanUpAfterTest } from './temporary.ts'

/** A request that a server of ours has seen. */
export interface SeenRequest {
  url: URL
  /** Milliseconds, `performance.now()` of this process. */
  at: number
  /** Address of the other side. */
  from: string
  request: IncomingMessage
  response: ServerResponse
}

export interface OwnServer {
  /** `http://HOST:PORT` */
  url: string
  seen: readonly SeenRequest[]
  /** May be changed at any time. */
  answer: RequestListener
  /** Resolves when so many requests have come in. */
  sawRequests(count: number): Promise<void>
  /** What was seen so far is seen no more. */
  forget(): void
}

/** Answers 200 and `{}` unless told otherwise, remembers every request, and is stopped after the test. */
export async function startServer(answer: RequestListener = ok, host = '127.0.0.1'): Promise<OwnServer> {
  const seen: SeenRequest[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  const server = createServer((request, response) => {
    const { remoteAddress: from = '' } = request.socket
    const url = new URL(request.url!, 'http://own')
    seen.push({ url, at: performance.now(), from, request, response })
    for (const each of waiting) if (seen.length >= each.count) each.resolve()
    own.answer(request, response)
  })
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  cleanUpAfterTest(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const own: OwnServer = {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    seen,
    answer,
    sawRequests: (count) =>
      new Promise((resolve) => {
        if (seen.length >= count) resolve()
        else waiting.push({ count, resolve })
      }),
    forget: () => void seen.splice(0),
  }
  return own
}

export interface HeldServer extends OwnServer {
  /** Goes on: up to so many requests since its start, or for good. */
  release(upTo?: number): void
}

/**
 * A target that takes so many milliseconds for an answer, and after so many requests gives none until it is told to go
 * on: a run against it is not over before that, however slow those are who want to see it.
 */
export async function startHeldServer(answerMs: number, upTo: number): Promise<HeldServer> {
  let count = 0
  const waiting: { number: number; answer: () => void }[] = []
  const server = await startServer((_request, response) => {
    const number = ++count
    const answer = () => void setTimeout(() => response.end('{}'), answerMs)
    if (number <= upTo) answer()
    else waiting.push({ number, answer })
  })
  return Object.assign(server, {
    release: (more = Infinity) => {
      upTo = more
      for (const { answer } of waiting.splice(0, waiting.findLastIndex(({ number }) => number <= upTo) + 1))
        answer()
    },
  })
}

export function ok(_request: IncomingMessage, response: ServerResponse): void {
  response.end('{}')
}
