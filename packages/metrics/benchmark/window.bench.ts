/** What a window costs outside the load threads. By hand: node --import tsx packages/metrics/benchmark/window.bench.ts */
import { Aggregate } from '../src/aggregate.ts'
import { Catalogue } from '../src/catalogue.ts'
import { DeltaDecoder } from '../src/delta-decoder.ts'
import { DeltaEncoder } from '../src/delta-encoder.ts'
import { Delta } from '../src/delta.ts'
import { Histogram } from '../src/histogram.ts'
import { Recorder } from '../src/recorder.ts'
import { WindowCutter } from '../src/window-cutter.ts'
import { compare, durations } from './stopwatch.ts'

const micros = durations(1_000_000)

function record(series: number, samples: number) {
  const cutter = new WindowCutter()
  const recorder = new Recorder({ maxSeries: series, define: (definition) => cutter.add(definition) })
  const again = () => {
    for (let index = 0; index < samples; index++) {
      recorder.hit(
        'http',
        'TestWebSite.test_es',
        `GET /${index % series}`,
        'GET',
        '200',
        false,
        micros[index]!,
        512,
        96,
        null,
      )
    }
  }
  again()
  return { cutter, again }
}

for (const samples of [100, 10_000, 1_000_000]) {
  const { cutter, again } = record(1, samples)
  const encoder = new DeltaEncoder()
  const first = encoder.encode(cutter.cut()).length
  again()
  const window = cutter.cut()
  const bytes = encoder.encode(window).length
  const buckets = [...window.series.values()][0]!.buckets!.size
  console.log(
    `1 series, ${samples} samples: ${bytes} bytes (${first} with its definition), ${buckets} buckets`,
  )
}

const { cutter, again } = record(1000, 100_000)
const window = cutter.cut()
const encoder = new DeltaEncoder()
const full = encoder.encode(window)
const plain = encoder.encode(window)
console.log(`1000 series, 100 samples each: ${plain.length} bytes (${full.length} with definitions)`)

const aggregate = new Aggregate()
aggregate.apply(window)
const one = new Histogram()
for (const each of micros) one.record(each)
const other = new Histogram()
const decoder = new DeltaDecoder()
decoder.decode(full)
const catalogue = new Catalogue(1000)
const merged = new Delta()
cutter.cut()

compare(
  {
    'merge of two histograms': (count) => {
      for (let index = 0; index < count; index++) other.merge(one)
    },
    'six quantiles of a histogram': (count) => {
      for (let index = 0; index < count; index++) one.quantiles([0.5, 0.9, 0.95, 0.99, 0.999, 0.9999])
    },
  },
  20_000,
)
console.log('1000 series, 100 samples each, per window:')
compare(
  {
    'cut, nothing changed': (count) => {
      for (let index = 0; index < count; index++) cutter.cut()
    },
    encode: (count) => {
      for (let index = 0; index < count; index++) encoder.encode(window)
    },
    decode: (count) => {
      for (let index = 0; index < count; index++) decoder.decode(plain)
    },
    admit: (count) => {
      for (let index = 0; index < count; index++) catalogue.admit(window)
    },
    'merge of two deltas': (count) => {
      for (let index = 0; index < count; index++) merged.merge(window)
    },
    'apply to the totals': (count) => {
      for (let index = 0; index < count; index++) aggregate.apply(window)
    },
  },
  20,
)
compare(
  {
    'record 100,000 hits': (count) => {
      for (let index = 0; index < count; index++) again()
    },
    'record 100,000 hits, then cut': (count) => {
      for (let index = 0; index < count; index++) {
        again()
        cutter.cut()
      }
    },
  },
  5,
)
