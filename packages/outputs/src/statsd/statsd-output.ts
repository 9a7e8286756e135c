import { Delta } from '@loads-runner/metrics'
import type { OutputEnvironment } from '../environment.ts'
import type { Output, OutputRecord, OutputRun, RecordType } from '../output.ts'
import type { LineStyle } from './line-style.ts'
import { NameBook } from './name-book.ts'
import { packetsOf } from './packets.ts'
import { PlainLines } from './plain-lines.ts'
import { parseStatsdAddress, type StatsdAddress } from './statsd-address.ts'
import { TaggedLines } from './tagged-lines.ts'
import { UdpSender } from './udp-sender.ts'

/** Quantiles are of so much of the run, in milliseconds. */
const recentMs = 10_000

/** `statsd:HOST[:PORT][?prefix=loads&tags=datadog]`: UDP, once per second, all that has changed. */
export function createStatsd(args: string, environment: OutputEnvironment): Output {
  return new StatsdOutput(parseStatsdAddress(args), environment)
}

interface Recent {
  elapsedMs: number
  delta: Delta
}

class StatsdOutput implements Output {
  readonly name = 'statsd'
  /** Intervals only tell that a second has passed, also in silence. */
  readonly wants: ReadonlySet<RecordType> = new Set(['figures', 'interval', 'end'])
  readonly spansMs = [1_000]
  /** More than come in a second: so it is written once per second. */
  readonly batch = 1_000
  readonly #address: StatsdAddress
  readonly #sender: UdpSender
  readonly #book: NameBook
  #style: LineStyle | null = null
  #run: OutputRun | null = null
  #recent: readonly Recent[] = []
  /** Of records that count as written: they go before all others. */
  #packets: Buffer[] = []

  constructor(address: StatsdAddress, { log }: OutputEnvironment) {
    this.#address = address
    this.#book = new NameBook((text) => log('warning', `output statsd: ${text}`))
    this.#sender = new UdpSender(address.endpoint, () => {
      log(
        'warning',
        `output statsd: nobody listens on UDP ${this.#sender.address}; figures are lost until somebody does`,
      )
    })
  }

  async open(run: OutputRun): Promise<void> {
    const { prefix, tagged } = this.#address
    const { project } = run.spec
    const runTags = { run: run.runId, ...(project === null ? {} : { project }) }
    this.#run = run
    this.#style = tagged ? new TaggedLines(prefix, this.#book, runTags) : new PlainLines(prefix, this.#book)
    await this.#sender.open()
  }

  /** Where some packets were sent and others not, the others are kept: nothing is counted twice. */
  async write(records: readonly OutputRecord[], signal: AbortSignal): Promise<void> {
    await this.#sender.send(this.#packets, signal)
    const style = this.#style!
    const counted = new Delta()
    const warmUp = new Delta()
    let recent = this.#recent
    let now = recent.at(-1)?.elapsedMs ?? 0
    for (const record of records) {
      if (record.type === 'figures') {
        ;(record.warmUp ? warmUp : counted).merge(record.delta)
        recent = [...recent, record]
        now = Math.max(now, record.elapsedMs)
      } else if (record.type === 'interval')
        now = Math.max(now, record.interval.fromMs + record.interval.spanMs)
    }
    recent = recent.filter(({ elapsedMs }) => elapsedMs > now - recentMs)
    const lines = [
      ...style.counters(counted),
      ...style.warmUpCounters(warmUp),
      ...style.gauges(
        recent.map(({ delta }) => delta),
        this.#run!.view.activeUsers,
      ),
    ]
    const packets = packetsOf(lines)
    const all = packets.length
    try {
      await this.#sender.send(packets, signal)
    } catch (error) {
      if (packets.length === all) throw error
    }
    this.#packets = packets
    this.#recent = recent
  }

  async close(): Promise<void> {
    try {
      if (this.#packets.length > 0) await this.#sender.send(this.#packets, AbortSignal.timeout(1_000))
    } finally {
      this.#sender.close()
    }
  }
}
