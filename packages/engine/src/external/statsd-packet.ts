/** One metric of a statsd packet: `name:value|type[|@rate][|#tags]`. */
export interface StatsdMetric {
  name: string
  type: 'counter' | 'gauge' | 'timing'
  /** Counters are already divided by their sample rate; timings in ms. */
  value: number
  /** `+3` or `-3`: a change of the gauge. */
  relative: boolean
  /** How many events a sampled timing stands for. */
  weight: number
}

const types: Record<string, StatsdMetric['type']> = {
  c: 'counter',
  g: 'gauge',
  ms: 'timing',
  h: 'timing',
  d: 'timing',
}

/** Reads a packet; `malformed` counts lines that are not statsd (sets, which have no meaning here, among them). */
export function parseStatsdPacket(packet: string): { metrics: StatsdMetric[]; malformed: number } {
  const metrics: StatsdMetric[] = []
  let malformed = 0
  for (const line of packet.split('\n')) {
    if (line.trim() === '') continue
    const metric = parseLine(line)
    if (metric === null) malformed++
    else metrics.push(metric)
  }
  return { metrics, malformed }
}

function parseLine(line: string): StatsdMetric | null {
  const match = /^([^:|]+):([+-]?[\d.eE+-]+)\|(\w+)((?:\|[@#c][^|]*)*)$/.exec(line.trim())
  if (match === null) return null
  const [, name = '', digits = '', code = '', rest = ''] = match
  const type = types[code]
  const value = Number(digits)
  const rate = Number(/\|@([\d.]+)/.exec(rest)?.[1] ?? 1)
  if (type === undefined || !Number.isFinite(value) || !(rate > 0 && rate <= 1)) return null
  return {
    name,
    type,
    value: type === 'counter' ? value / rate : value,
    relative: type === 'gauge' && /^[+-]/.test(digits),
    weight: Math.min(1000, Math.round(1 / rate)),
  }
}
