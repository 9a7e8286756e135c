/** What a hit costs in a load thread. By hand: node --expose-gc --import tsx packages/metrics/benchmark/recorder.bench.ts */
import { bucketOf } from '../src/histogram.ts'
import { Recorder } from '../src/recorder.ts'
import { BlockWriter, createBlock } from '../src/series-block.ts'
import { compare, durations } from './stopwatch.ts'

const times = 2_000_000
const micros = durations(4096)
const tests = ['TestWebSite.test_es', 'TestWebSite.test_home']
const names = Array.from({ length: 100 }, (_, index) => `GET /item/${index}`)
const tags = { region: 'eu', tier: 'gold' }
const quiet = { maxSeries: 1000, define() {} }

/** The plain way, for comparison: a map for each word. */
class NestedMaps {
  readonly #http = new Map<string, Map<string, Map<string, Map<string, BlockWriter>>>>()

  hit(test: string, name: string, method: string, status: string, failed: boolean, time: number): void {
    this.#open(test, name, method, status).time(time, failed, 512, 96)
  }

  #open(test: string, name: string, method: string, status: string): BlockWriter {
    const found = this.#http.get(test)?.get(name)?.get(method)?.get(status)
    if (found !== undefined) return found
    const writer = new BlockWriter(createBlock('http'))
    const byName = this.#http.get(test) ?? new Map<string, Map<string, Map<string, BlockWriter>>>()
    const byMethod = byName.get(name) ?? new Map<string, Map<string, BlockWriter>>()
    const byStatus = byMethod.get(method) ?? new Map<string, BlockWriter>()
    this.#http.set(test, byName.set(name, byMethod.set(method, byStatus.set(status, writer))))
    return writer
  }
}

const one = new Recorder(quiet)
const many = new Recorder(quiet)
const nested = new NestedMaps()
const tagged = new Recorder(quiet)
const full = new Recorder({ ...quiet, maxSeries: 1 })
const failing = new Recorder(quiet)
const writer = new BlockWriter(createBlock('http'))
const strangers = Array.from({ length: 50_000 }, (_, index) => `GET /unknown/${index}`)
let kept = 0

compare(
  {
    bucketOf: (count) => {
      for (let index = 0; index < count; index++) kept += bucketOf(micros[index & 4095]!)
    },
    'write to a block': (count) => {
      for (let index = 0; index < count; index++) writer.time(micros[index & 4095]!, false, 512, 96)
    },
    'hit, 1 series': (count) => {
      for (let index = 0; index < count; index++) {
        one.hit('http', tests[0]!, names[0]!, 'GET', '200', false, micros[index & 4095]!, 512, 96, null)
      }
    },
    'hit, 400 series': (count) => {
      for (let index = 0; index < count; index++) {
        const status = (index & 63) === 0 ? '404' : '200'
        const test = tests[(index >> 4) & 1]!
        many.hit(
          'http',
          test,
          names[index % 100]!,
          'GET',
          status,
          status === '404',
          micros[index & 4095]!,
          512,
          96,
          null,
        )
      }
    },
    'hit, 400 series, a map for each word': (count) => {
      for (let index = 0; index < count; index++) {
        const status = (index & 63) === 0 ? '404' : '200'
        const test = tests[(index >> 4) & 1]!
        nested.hit(test, names[index % 100]!, 'GET', status, status === '404', micros[index & 4095]!)
      }
    },
    'hit with two tags': (count) => {
      for (let index = 0; index < count; index++) {
        tagged.hit(
          'http',
          tests[0]!,
          names[index % 100]!,
          'GET',
          '200',
          false,
          micros[index & 4095]!,
          512,
          96,
          tags,
        )
      }
    },
    'error of a known message': (count) => {
      for (let index = 0; index < count; index++)
        failing.error(tests[0]!, 'TypeError', 'x is undefined', () => '')
    },
  },
  times,
)
compare(
  {
    'hit of ever new names beyond the limit': (count) => {
      for (let index = 0; index < count; index++) {
        full.hit(
          'http',
          tests[0]!,
          strangers[index % 50_000]!,
          'GET',
          '200',
          false,
          micros[index & 4095]!,
          512,
          96,
          null,
        )
      }
    },
    'error of an ever new message': (count) => {
      for (let index = 0; index < count; index++)
        failing.error(tests[0]!, 'Error', `user ${index} not found`, () => '')
    },
  },
  200_000,
)
if (kept < 0) console.log(kept)

const collect = (globalThis as { gc?: () => void }).gc
collect?.()
const before = process.memoryUsage()
const roomy = new Recorder({ ...quiet, maxSeries: 2000 })
for (let index = 0; index < 4000; index++) {
  roomy.hit('http', tests[0]!, `GET /memory/${index}`, 'GET', '200', false, 1000, 0, 0, null)
}
collect?.()
const after = process.memoryUsage()
const perSeries = (part: 'heapUsed' | 'arrayBuffers') =>
  ((after[part] - before[part]) / 4000 / 1024).toFixed(2)
console.log(
  `memory per series: shared ${(createBlock('http').byteLength / 1024).toFixed(2)} KiB ` +
    `(measured ${perSeries('arrayBuffers')}), heap ${perSeries('heapUsed')} KiB`,
)
