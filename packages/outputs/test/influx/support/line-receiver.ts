import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface WriteRequest {
  method: string
  url: URL
  headers: IncomingHttpHeaders
  lines: string[]
}

export interface Answer {
  status: number
  text?: string
  headers?: Record<string, string>
}

/** A point as a server would keep it: read out of its line by the rules of the protocol, apart from what the output has. */
export interface ReadPoint {
  measurement: string
  tags: Record<string, string>
  fields: Record<string, number | string | boolean>
  at: number
}

/** Takes writes of lines as InfluxDB 2 and 3 do. Nothing is kept of a request that is not answered with 2xx. */
export class LineReceiver {
  readonly requests: WriteRequest[] = []
  readonly kept: ReadPoint[] = []
  /** What it answers to a request; null: nothing at all. */
  answer: (request: WriteRequest) => Answer | null = () => ({ status: 204 })
  readonly #server: Server

  constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const lines = Buffer.concat(parts).toString('utf8').split('\n')
        const url = new URL(request.url!, 'http://receiver')
        const seen = { method: request.method!, url, headers: request.headers, lines }
        this.requests.push(seen)
        const answer = this.answer(seen)
        if (answer === null) return
        const { status, text = '', headers = {} } = answer
        if (status < 300) this.kept.push(...lines.map(readLine))
        response.writeHead(status, headers).end(text)
      })
    })
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** As a database has them: of several points of one time and tags the fields of the last. */
  stored(measurement: string): ReadPoint[] {
    const points = new Map<string, ReadPoint>()
    for (const point of this.kept) {
      if (point.measurement !== measurement) continue
      const key = JSON.stringify([point.tags, point.at])
      points.set(key, { ...point, fields: { ...points.get(key)?.fields, ...point.fields } })
    }
    return [...points.values()]
  }
}

/** Reads one line. Throws where a server would refuse it. */
export function readLine(line: string): ReadPoint {
  let at = 0
  const until = (ends: string): string => {
    let text = ''
    while (at < line.length && !ends.includes(line[at]!)) {
      if (line[at] === '\\' && ',= '.includes(line[at + 1] ?? '\n')) at++
      text += line[at++]
    }
    return text
  }
  const take = (wanted: string): void => {
    if (line[at] !== wanted) throw new Error(`no ${JSON.stringify(wanted)} at ${at} of ${line}`)
    at++
  }
  const point: ReadPoint = { measurement: until(', '), tags: {}, fields: {}, at: 0 }
  while (line[at] === ',') {
    at++
    const name = until('=')
    take('=')
    const value = until(', ')
    if (name === '' || value === '') throw new Error(`an empty tag in ${line}`)
    point.tags[name] = value
  }
  take(' ')
  for (;;) {
    const name = until('=')
    take('=')
    point.fields[name] = line[at] === '"' ? readText() : readPlain(until(', '))
    if (line[at] !== ',') break
    at++
  }
  take(' ')
  const time = line.slice(at)
  if (!/^-?\d+$/.test(time)) throw new Error(`no time at the end of ${line}`)
  point.at = Number(time)
  return point

  function readText(): string {
    let text = ''
    at++
    while (line[at] !== '"') {
      if (at >= line.length) throw new Error(`a text without an end in ${line}`)
      if (line[at] === '\\' && (line[at + 1] === '"' || line[at + 1] === '\\')) at++
      text += line[at++]
    }
    at++
    return text
  }
}

function readPlain(text: string): number | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) throw new Error(`no value: ${text}`)
  return Number(text)
}
