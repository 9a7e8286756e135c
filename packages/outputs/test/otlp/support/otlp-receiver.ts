import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

export interface Point {
  metric: string
  attributes: Record<string, string>
  atNanos: bigint
  startNanos: bigint | null
  /** Of sums and gauges; of histograms: how many samples. */
  value: number
  histogram: { scale: number; sum: number; buckets: [low: number, high: number, count: number][] } | null
}

/**
 * Reads a request by the rules of OTLP 1.x: its JSON encoding (64-bit integers are strings, field names are in
 * lowerCamelCase) and the data model of metrics (no unknown fields, counts that add up, times in order).
 */
export function decode(text: string): { resource: Record<string, string>; points: Point[] } {
  const points: Point[] = []
  let resource: Record<string, string> = {}
  const request = fields(JSON.parse(text), { resourceMetrics: true })
  for (const resourceMetrics of list(request.resourceMetrics)) {
    const { resource: given, scopeMetrics } = fields(resourceMetrics, { resource: true, scopeMetrics: true })
    resource = attributesOf(fields(given, { attributes: true }).attributes)
    for (const scoped of list(scopeMetrics)) {
      const { scope, metrics } = fields(scoped, { scope: true, metrics: true })
      if (fields(scope, { name: true, version: false }).name === '') throw new Error('a scope without a name')
      for (const metric of list(metrics)) points.push(...pointsOf(metric))
    }
  }
  const ids = points.map(({ metric, attributes }) =>
    JSON.stringify([metric, Object.entries(attributes).map(String).sort()]),
  )
  if (new Set(ids).size !== ids.length) throw new Error('two points of one metric have the same attributes')
  return { resource, points }
}

function pointsOf(given: unknown): Point[] {
  const metric = fields(given, {
    name: true,
    description: false,
    unit: false,
    gauge: false,
    sum: false,
    histogram: false,
    exponentialHistogram: false,
  })
  const name = text(metric.name)
  if (!/^[A-Za-z][A-Za-z0-9_./-]{0,254}$/.test(name)) throw new Error(`name of a metric: ${name}`)
  const kinds = ['gauge', 'sum', 'histogram', 'exponentialHistogram'].filter((kind) => kind in metric)
  if (kinds.length !== 1) throw new Error(`${name} has data of ${kinds.length} kinds`)
  const kind = kinds[0]!
  const data = fields(metric[kind], {
    dataPoints: true,
    ...(kind === 'gauge' ? {} : { aggregationTemporality: true }),
    ...(kind === 'sum' ? { isMonotonic: true } : {}),
  })
  if (kind !== 'gauge' && data.aggregationTemporality !== 2) throw new Error(`${name} is not cumulative`)
  if (kind === 'sum' && data.isMonotonic !== true) throw new Error(`${name} is not monotonic`)
  return list(data.dataPoints).map((point) => pointOf(name, kind, point))
}

function pointOf(metric: string, kind: string, given: unknown): Point {
  const isCumulative = kind !== 'gauge'
  const point = fields(given, {
    attributes: true,
    timeUnixNano: true,
    ...(isCumulative ? { startTimeUnixNano: true } : {}),
    ...(kind === 'gauge' || kind === 'sum' ? { asInt: false, asDouble: false } : { count: true, sum: true }),
    ...(kind === 'histogram' ? { bucketCounts: true, explicitBounds: true } : {}),
    ...(kind === 'exponentialHistogram'
      ? { scale: true, zeroCount: true, zeroThreshold: false, positive: true }
      : {}),
  })
  const common = {
    metric,
    attributes: attributesOf(point.attributes),
    atNanos: BigInt(int64(point.timeUnixNano)),
    startNanos: isCumulative ? BigInt(int64(point.startTimeUnixNano)) : null,
  }
  if (common.startNanos !== null && common.startNanos > common.atNanos)
    throw new Error(`${metric} ends before it starts`)
  if (kind === 'gauge' || kind === 'sum') {
    if ('asInt' in point === 'asDouble' in point) throw new Error(`${metric} needs one value`)
    const value = 'asInt' in point ? Number(int64(point.asInt)) : Number(point.asDouble)
    if (kind === 'sum' && !(value >= 0)) throw new Error(`${metric} is below 0`)
    return { ...common, value, histogram: null }
  }
  const value = Number(int64(point.count))
  const sum = Number(point.sum)
  const buckets: [number, number, number][] = []
  let scale = NaN
  if (kind === 'histogram') {
    const bounds = list(point.explicitBounds).map(Number)
    const counts = list(point.bucketCounts).map((count) => Number(int64(count)))
    if (counts.length !== bounds.length + 1)
      throw new Error(`${metric} has ${counts.length} buckets for ${bounds.length} bounds`)
    for (const [index, count] of counts.entries())
      buckets.push([bounds[index - 1] ?? 0, bounds[index] ?? Infinity, count])
  } else {
    scale = Number(point.scale)
    if (!Number.isInteger(scale) || scale < -10 || scale > 20) throw new Error(`${metric} has scale ${scale}`)
    const positive = fields(point.positive, { offset: true, bucketCounts: true })
    const counts = list(positive.bucketCounts).map((count) => Number(int64(count)))
    if (counts.length > 1_600) throw new Error(`${metric} has ${counts.length} buckets`)
    const zero = Number(int64(point.zeroCount))
    if (zero > 0) buckets.push([0, 0, zero])
    const step = 2 ** -scale
    for (const [index, count] of counts.entries()) {
      const at = Number(positive.offset) + index
      if (count > 0) buckets.push([2 ** (at * step), 2 ** ((at + 1) * step), count])
    }
  }
  if (buckets.reduce((total, [, , count]) => total + count, 0) !== value)
    throw new Error(`${metric}: buckets do not add up`)
  return { ...common, value, histogram: { scale, sum, buckets } }
}

/** An object with these fields and no others; true: the field must be there. */
function fields(given: unknown, allowed: Record<string, boolean>): Record<string, unknown> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new Error('an object is missing')
  for (const name of Object.keys(given)) if (!(name in allowed)) throw new Error(`unknown field ${name}`)
  for (const [name, isNeeded] of Object.entries(allowed))
    if (isNeeded && !(name in given)) throw new Error(`field ${name} is missing`)
  return given as Record<string, unknown>
}

function attributesOf(given: unknown): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const each of list(given)) {
    const { key, value } = fields(each, { key: true, value: true })
    if (text(key) === '' || text(key) in attributes) throw new Error(`attribute ${text(key)}`)
    attributes[text(key)] = text(fields(value, { stringValue: true }).stringValue)
  }
  return attributes
}

function list(given: unknown): unknown[] {
  if (!Array.isArray(given)) throw new Error('a list is missing')
  return given
}

function text(given: unknown): string {
  if (typeof given !== 'string') throw new Error(`not a text: ${JSON.stringify(given)}`)
  return given
}

function int64(given: unknown): string {
  if (!/^-?\d{1,19}$/.test(text(given))) throw new Error(`not a 64-bit integer: ${JSON.stringify(given)}`)
  return given as string
}

/** Takes OTLP over HTTP; what breaks the rules is answered with 400. */
export class OtlpReceiver {
  readonly points: Point[] = []
  readonly headers: IncomingHttpHeaders[] = []
  readonly paths: string[] = []
  resource: Record<string, string> = {}
  /** What it answers; null: nothing at all. */
  answer: { status: number; text?: string; headers?: Record<string, string> } | null = { status: 200 }
  problem: string | null = null
  readonly #server: Server

  constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        this.headers.push(request.headers)
        this.paths.push(request.url ?? '')
        if (this.answer === null) return
        const { status, text: body = '{}', headers = {} } = this.answer
        if (status === 200)
          try {
            const json = request.headers['content-type'] === 'application/json'
            if (!json || request.headers['content-encoding'] !== 'gzip') throw new Error('headers')
            const { resource, points } = decode(gunzipSync(Buffer.concat(parts)).toString('utf8'))
            this.resource = resource
            this.points.push(...points)
          } catch (error) {
            this.problem = String(error)
            return void response.writeHead(400).end(JSON.stringify({ code: 3, message: String(error) }))
          }
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
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

  /** The last point of each series of a metric. */
  latest(metric: string): Point[] {
    const latest = new Map<string, Point>()
    for (const point of this.points)
      if (point.metric === metric) latest.set(JSON.stringify(point.attributes), point)
    return [...latest.values()]
  }
}
