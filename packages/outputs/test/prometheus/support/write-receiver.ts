import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import protobuf from 'protobufjs'
import { uncompress } from 'snappyjs'

/** Written down from the specification of remote write 1.0, apart from what the output has. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message WriteRequest { repeated TimeSeries timeseries = 1; repeated MetricMetadata metadata = 3; }
  message MetricMetadata { int32 type = 1; string metric_family_name = 2; string help = 4; string unit = 5; }
  message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; repeated Histogram histograms = 4; }
  message Label { string name = 1; string value = 2; }
  message Sample { double value = 1; int64 timestamp = 2; }
  message Histogram {
    oneof count { uint64 count_int = 1; double count_float = 2; }
    double sum = 3; sint32 schema = 4; double zero_threshold = 5;
    oneof zero_count { uint64 zero_count_int = 6; double zero_count_float = 7; }
    repeated BucketSpan positive_spans = 11; repeated sint64 positive_deltas = 12;
    int32 reset_hint = 14; int64 timestamp = 15;
  }
  message BucketSpan { sint32 offset = 1; uint32 length = 2; }
`)

export interface WrittenSample {
  labels: Record<string, string>
  at: number
  /** NaN: stale. */
  value: number
  /** Not a value but a native histogram. */
  isNative: boolean
}

/** Takes remote writes and checks what a server checks: order of labels, order of time. */
export class WriteReceiver {
  readonly samples: WrittenSample[] = []
  readonly headers: IncomingHttpHeaders[] = []
  requests = 0
  /** What it answers; null: nothing at all. */
  answer: { status: number; text?: string; headers?: Record<string, string> } | null = { status: 204 }
  readonly #server: Server
  readonly #lastAt = new Map<string, number>()

  constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        this.requests++
        this.headers.push(request.headers)
        if (this.answer === null) return
        const { status, text = '', headers = {} } = this.answer
        if (status < 300) {
          const problem = this.#take(Buffer.concat(parts))
          if (problem !== null) return void response.writeHead(400).end(problem)
        }
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
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/api/v1/write`
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** The last value of each series of a name, stale ends left out. */
  latest(name: string): WrittenSample[] {
    const latest = new Map<string, WrittenSample>()
    for (const sample of this.samples)
      if (sample.labels.__name__ === name && !Number.isNaN(sample.value))
        latest.set(JSON.stringify(sample.labels), sample)
    return [...latest.values()]
  }

  #take(body: Buffer): string | null {
    const { timeseries } = root
      .lookupType('WriteRequest')
      .toObject(root.lookupType('WriteRequest').decode(uncompress(body)), {
        longs: Number,
        defaults: true,
      }) as {
      timeseries: {
        labels: { name: string; value: string }[]
        samples: { value: number; timestamp: number }[]
        histograms: { countInt?: number; timestamp: number }[]
      }[]
    }
    for (const { labels, samples, histograms } of timeseries) {
      const names = labels.map(({ name }) => name)
      if (names.join() !== names.toSorted().join() || new Set(names).size !== names.length)
        return `labels out of order: ${names.join()}`
      const odd = names.find((name) => !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name))
      if (odd !== undefined) return `label name ${odd}`
      const id = JSON.stringify(labels)
      const all = [
        ...samples.map((each) => ({ at: each.timestamp, value: each.value, isNative: false })),
        ...histograms.map((each) => ({ at: each.timestamp, value: each.countInt ?? 0, isNative: true })),
      ]
      for (const sample of all) {
        if (sample.at <= (this.#lastAt.get(id) ?? -Infinity)) return `out of order sample: ${id}`
        this.#lastAt.set(id, sample.at)
        this.samples.push({
          ...sample,
          labels: Object.fromEntries(labels.map(({ name, value }) => [name, value])),
        })
      }
    }
    return null
  }
}
