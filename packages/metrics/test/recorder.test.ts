import assert from 'node:assert/strict'
import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Definition } from '../src/definition.ts'
import type { SeriesDelta } from '../src/delta.ts'
import { Recorder, type RecorderOptions } from '../src/recorder.ts'
import { hitKinds, overflowName, seriesId, type HitKind, type SeriesKind } from '../src/series.ts'
import { WindowCutter } from '../src/window-cutter.ts'

const get = ['GET', '200', false, 1000, 10, 5] as const

function open(options: Partial<RecorderOptions> = {}) {
  const cutter = new WindowCutter()
  const definitions: Definition[] = []
  const recorder = new Recorder({
    maxSeries: 1000,
    now: () => 1_700_000_000_000,
    ...options,
    define: (definition) => {
      definitions.push(definition)
      cutter.add(definition)
    },
  })
  const cut = () => [...cutter.cut().series.values()]
  const byName = (kind: SeriesKind) =>
    Object.fromEntries(
      cut()
        .filter((series) => series.key.kind === kind)
        .map((series) => [series.key.name, series]),
    )
  return { recorder, definitions, cut, byName }
}

const countOf = (series: SeriesDelta[]) => series.reduce((sum, each) => sum + each.count, 0)

describe('Recorder', () => {
  it('records hits by test, name, method and status', () => {
    const { recorder, definitions, cut } = open()
    recorder.hit('http', 'T.a', 'GET /', 'GET', '200', false, 1000.4, 512, 96, null)
    recorder.hit('http', 'T.a', 'GET /', 'GET', '200', false, 3000, 512, 96, null)
    recorder.hit('http', 'T.a', 'GET /', 'GET', 'timeout', true, 30_000_000, 0, 96, null)
    recorder.hit('websocket', 'T.a', 'GET /', 'GET', '101', false, 500, 0, 0, null)
    const [ok, failed, socket, ...rest] = cut()
    assert.equal(definitions.length, 3)
    assert.deepEqual(rest, [])
    assert.deepEqual(
      { ...ok, buckets: ok!.buckets!.size },
      {
        key: { kind: 'http', test: 'T.a', name: 'GET /', method: 'GET', status: '200', tags: {} },
        detail: null,
        count: 2,
        failed: 0,
        sum: 4000,
        min: 1000,
        max: 3000,
        bytesIn: 1024,
        bytesOut: 192,
        value: 0,
        lastAt: 0,
        buckets: 2,
      },
    )
    assert.deepEqual([failed!.key.status, failed!.count, failed!.failed], ['timeout', 1, 1])
    assert.deepEqual([socket!.key.kind, socket!.count, socket!.sum], ['websocket', 1, 500])
  })

  it('counts what is no duration as zero, and survives nonsense', () => {
    const { recorder, cut } = open()
    for (const micros of [-5, NaN, Infinity]) {
      recorder.hit('http', '', '', '', '', false, micros, NaN, -1, null)
    }
    recorder.count('c', NaN)
    recorder.count('c', Infinity)
    recorder.gauge('g', NaN)
    const [hit, ...rest] = cut()
    assert.deepEqual([hit!.count, hit!.sum, hit!.max, hit!.bytesIn, hit!.bytesOut], [3, 0, 0, 0, 0])
    assert.deepEqual(rest, [])
  })

  it('tells tags apart, whatever their order', () => {
    const { recorder, definitions, cut } = open()
    const hit = (tags: Record<string, string> | null) => recorder.hit('http', 'T.a', '/', ...get, tags)
    for (let round = 0; round < 2; round++) {
      hit(null)
      hit({})
      hit({ region: 'eu', tier: 'gold' })
      hit({ tier: 'gold', region: 'eu' })
      hit({ region: 'us' })
    }
    assert.equal(definitions.length, 3)
    assert.deepEqual(
      cut().map(({ key, count }) => [key.tags, count]),
      [
        [{}, 4],
        [{ region: 'eu', tier: 'gold' }, 4],
        [{ region: 'us' }, 2],
      ],
    )
  })

  it('records executions, internal counts, counters, gauges and timings', () => {
    const { recorder, cut } = open()
    recorder.execution('T.a', 'success', 2000, null)
    recorder.execution('T.a', 'interrupted', 100, null)
    recorder.internal('execution.started', 'T.a', 1)
    recorder.internal('execution.started', 'T.a', 1)
    recorder.count('sold', 2)
    recorder.count('sold', 3)
    recorder.gauge('depth', 7)
    recorder.gauge('depth', -4)
    recorder.timing('render', 1500)
    assert.deepEqual(
      cut().map(({ key, count, sum, value, lastAt }) => [
        key.kind,
        key.test,
        key.name,
        key.status,
        count,
        sum,
        value,
        lastAt,
      ]),
      [
        ['execution', 'T.a', 'T.a', 'success', 1, 2000, 0, 0],
        ['execution', 'T.a', 'T.a', 'interrupted', 1, 100, 0, 0],
        ['internal', 'T.a', 'execution.started', '', 2, 0, 2, 0],
        ['counter', '', 'sold', '', 2, 0, 5, 0],
        ['gauge', '', 'depth', '', 2, 0, -4, 1_700_000_000_000],
        ['timing', '', 'render', '', 1, 1500, 0, 0],
      ],
    )
  })

  it('records checks, steps, phases, response times and lateness with their tags', () => {
    const { recorder, cut } = open()
    const tags = { scenario: 'buyers' }
    for (let round = 0; round < 2; round++) {
      recorder.check('T.a', 'has a title', true, tags)
      recorder.check('T.a', 'has a title', false, tags)
      recorder.step('T.a', 'log in / form', 2500, tags)
      recorder.phase('T.a', 'GET /', 'GET', 'tls', 700, tags)
      recorder.response('T.a', 'success', 9000, tags)
      recorder.hitResponse('T.a', 'GET /', 'GET', '200', 8000, tags)
      recorder.lateness('T.a', 120, tags)
      recorder.internal('execution.started', 'T.a', 1, tags)
    }
    assert.deepEqual(
      cut().map(({ key, count, sum }) => [key.kind, key.name, key.method, key.status, count, sum]),
      [
        ['check', 'has a title', '', 'ok', 2, 0],
        ['check', 'has a title', '', 'failed', 2, 0],
        ['step', 'log in / form', '', '', 2, 5000],
        ['phase', 'GET /', 'GET', 'tls', 2, 1400],
        ['response', 'T.a', '', 'success', 2, 18_000],
        ['hit-response', 'GET /', 'GET', '200', 2, 16_000],
        ['lateness', 'T.a', '', '', 2, 240],
        ['internal', 'execution.started', '', '', 2, 0],
      ],
    )
  })

  it('knows every kind of hit', () => {
    const { recorder, cut } = open()
    for (const kind of hitKinds) recorder.hit(kind as HitKind, 'T.a', '/', ...get, null)
    assert.deepEqual(
      cut().map(({ key, count }) => [key.kind, count]),
      [...hitKinds].map((kind) => [kind, 1]),
    )
  })

  it('keeps held and failed checks and phases apart when their names overflow', () => {
    const { recorder, cut } = open({ maxSeries: 1 })
    for (let index = 0; index < 5; index++) {
      recorder.check('T.a', `check ${index}`, true, null)
      recorder.check('T.a', `check ${index}`, index > 3, null)
      recorder.phase('T.a', `/${index}`, 'GET', 'wait', 5, null)
    }
    const overflow = cut().filter(({ key }) => key.name === overflowName)
    assert.deepEqual(
      overflow
        .map(({ key, count }) => `${key.kind} ${key.status} ${count}`)
        .sort((one, other) => (one < other ? -1 : 1)),
      ['check failed 3', 'check ok 5', 'phase wait 5'],
    )
  })

  it('allocates nothing for a hit of a known series', async () => {
    const { recorder } = open()
    const tags = { region: 'eu' }
    const names = Array.from({ length: 50 }, (_, index) => `GET /item/${index}`)
    const record = (times: number) => {
      for (let index = 0; index < times; index++) {
        const failed = (index & 15) === 0
        const name = names[index % 50]!
        recorder.hit(
          'http',
          'T.a',
          name,
          'GET',
          failed ? '500' : '200',
          failed,
          1000 + (index & 1023),
          512,
          96,
          null,
        )
        recorder.hit('http', 'T.a', name, 'GET', '200', false, 1000 + (index & 1023), 512, 96, tags)
      }
    }
    let collections = 0
    const observer = new PerformanceObserver((list) => {
      collections += list.getEntries().length
    })
    observer.observe({ entryTypes: ['gc'] })
    // Not before the compiler has settled, which has a thread of its own and takes its time where others want it too.
    const rounds: number[] = []
    do {
      collections = 0
      record(2_000_000)
      await setImmediate()
      await setImmediate()
      rounds.push(collections)
    } while (rounds.at(-1)! > 2 && rounds.length < 20)
    observer.disconnect()
    // Sixteen bytes per hit would be 64 MB, several times the young generation, in every round.
    assert.ok(rounds.at(-1)! <= 2, `${rounds.join(', ')} garbage collections in 4 million hits each`)
  })

  describe('names beyond the limit', () => {
    it('overflow at once beyond twice the limit, and sums per test stay exact', () => {
      const { recorder, definitions, cut } = open({ maxSeries: 10 })
      for (let round = 0; round < 3; round++) {
        for (let user = 0; user < 500; user++) {
          recorder.hit('http', user % 2 === 0 ? 'T.a' : 'T.b', `/user/${user}`, ...get, null)
          recorder.hit('http', 'T.a', '/', ...get, { user: String(user) })
          recorder.count(`counter ${user}`, 1)
        }
      }
      const series = cut()
      assert.ok(definitions.length <= 20 + 3, `${definitions.length} series`)
      const hits = series.filter(({ key }) => key.kind === 'http')
      assert.equal(countOf(hits.filter(({ key }) => key.test === 'T.a')), 3 * 750)
      assert.equal(countOf(hits.filter(({ key }) => key.test === 'T.b')), 3 * 250)
      const counters = series.filter(({ key }) => key.kind === 'counter')
      assert.equal(
        counters.reduce((sum, each) => sum + each.value, 0),
        1500,
      )
      assert.ok(hits.some(({ key }) => key.name === overflowName))
    })

    it('cost no memory, however many there are', () => {
      setFlagsFromString('--expose-gc')
      const collect = runInNewContext('gc') as () => void
      const { recorder, definitions } = open({ maxSeries: 10 })
      const record = (first: number) => {
        for (let user = first; user < first + 200_000; user++) {
          recorder.hit('http', 'T.a', `/user/${user}`, ...get, null)
        }
        collect()
        return process.memoryUsage().heapUsed
      }
      const before = record(0)
      const after = record(200_000)
      assert.equal(definitions.length, 21)
      // To remember a name would cost 100 bytes at the least: 20 MB.
      assert.ok(after - before < 5e6, `${after - before} bytes more`)
    })

    it('are also a name that looks like the overflow series', () => {
      const { recorder, definitions } = open()
      for (let user = 0; user < 100; user++) {
        recorder.hit('http', 'T.a', overflowName, ...get, { user: `${user}` })
      }
      assert.equal(definitions.length, 1)
    })

    it('keep engine series out of it', () => {
      const { recorder, byName } = open({ maxSeries: 1 })
      for (let index = 0; index < 50; index++) recorder.execution(`T.test_${index}`, 'success', 1, null)
      assert.equal(Object.keys(byName('execution')).length, 50)
    })

    it('are those that the catalogue does not hold, once it is full', () => {
      const { recorder, definitions, byName } = open()
      for (const name of ['/a', '/b']) recorder.hit('http', 'T.a', name, ...get, null)
      recorder.count('c', 1)
      byName('http')
      const idOf = (name: string) =>
        seriesId({ kind: 'http', test: 'T.a', name, method: 'GET', status: '200', tags: {} })
      recorder.restrictTo(new Set([idOf('/a'), idOf('/late')]))
      for (let round = 0; round < 2; round++) {
        for (const name of ['/a', '/b', '/c', '/late']) recorder.hit('http', 'T.a', name, ...get, null)
        recorder.count('c', 1)
        recorder.execution('T.a', 'success', 1, null)
      }
      recorder.hit('http', 'T.a', '/b', 'GET', 'interrupted', false, 1, 0, 0, null)
      const overflow = definitions.filter(({ key }) => key.name === overflowName)
      assert.deepEqual(
        overflow.map(({ key }) => [key.kind, key.test, key.status]),
        [
          ['http', 'T.a', ''],
          ['counter', '', ''],
          ['http', 'T.a', 'interrupted'],
        ],
      )
      assert.ok(!definitions.some(({ key }) => key.name === '/c'))
    })

    it('go on in the admitted series, and in the overflow series of the rest', () => {
      const { recorder, cut } = open()
      recorder.restrictTo(new Set())
      for (let round = 0; round < 3; round++) recorder.hit('http', 'T.a', '/b', ...get, null)
      assert.deepEqual(
        cut().map(({ key, count }) => [key.name, count]),
        [[overflowName, 3]],
      )
    })
  })

  it('cuts very long names and keeps text well-formed', () => {
    const { recorder, definitions, cut } = open()
    const long = 'x'.repeat(5000)
    for (let round = 0; round < 2; round++) {
      recorder.hit('http', 'T.a', `${long}${round}`, ...get, null)
      recorder.hit('http', 'T.a', '/\ud800', ...get, null)
    }
    assert.deepEqual(
      definitions.map(({ key }) => key.name),
      ['x'.repeat(300), '/\ufffd'],
    )
    assert.deepEqual(
      cut().map(({ count }) => count),
      [2, 2],
    )
  })

  describe('errors', () => {
    it('are grouped, with a sample of the first only', () => {
      let samples = 0
      const sample = () => `stack ${++samples}`
      const { recorder, definitions, cut } = open()
      for (let user = 0; user < 1000; user++) recorder.error('T.a', 'TypeError', `no user ${user}`, sample)
      recorder.error('T.b', 'TypeError', 'no user 1', sample)
      assert.equal(samples, 2)
      assert.deepEqual(definitions[0]!.detail, {
        type: 'TypeError',
        message: 'no user 0',
        sample: 'stack 1',
        firstSeen: 1_700_000_000_000,
      })
      assert.deepEqual(
        cut().map(({ key, count, lastAt }) => [key.test, key.name, count, lastAt]),
        [
          ['T.a', 'TypeError: no user <n>', 1000, 1_700_000_000_000],
          ['T.b', 'TypeError: no user <n>', 1, 1_700_000_000_000],
        ],
      )
    })

    it('beyond the limit of groups fall into one', () => {
      const { recorder, definitions, cut } = open({ maxErrorGroups: 5 })
      let samples = 0
      for (let round = 0; round < 2; round++) {
        for (let letter = 0; letter < 20; letter++) {
          const word = String.fromCharCode(97 + letter)
          recorder.error('T.a', 'Error', `cannot ${word}`, () => `${++samples}`)
        }
      }
      const other = cut().find(({ key }) => key.name === overflowName)!
      assert.deepEqual([definitions.length, samples, other.key.test, other.count], [6, 6, '', 30])
    })

    it('cost the same when there are a million: series, samples and size stay', () => {
      const { recorder, definitions, cut } = open({ maxErrorGroups: 10 })
      let samples = 0
      const sample = () => `${++samples}`
      const throwMany = (times: number) => {
        for (let index = 0; index < times; index++) {
          const kind = String.fromCharCode(97 + (index % 26))
          recorder.error('T.a', 'Error', index % 10 === 0 ? `new ${kind} ${index}` : `old ${kind}`, sample)
        }
      }
      throwMany(1000)
      const series = definitions.length
      assert.equal(countOf(cut()), 1000)
      throwMany(1_000_000)
      assert.deepEqual([definitions.length, samples], [series, series])
      const window = cut()
      assert.ok(window.length <= 11)
      assert.equal(countOf(window), 1_000_000)
    })

    it('survive a huge message and a sample that throws', () => {
      const { recorder, definitions } = open()
      const message = `huge ${'y'.repeat(2_000_000)}`
      recorder.error('T.a', 'Error', message, () => {
        throw new Error('no sample')
      })
      recorder.error('T.a', 'Error', message, () => 'never asked')
      recorder.error('T.a', 'Error', 'big sample', () => 'z'.repeat(1_000_000))
      assert.equal(definitions.length, 2)
      assert.deepEqual([definitions[0]!.detail!.message.length, definitions[0]!.detail!.sample], [500, ''])
      assert.equal(definitions[1]!.detail!.sample.length, 8000)
    })
  })
})
