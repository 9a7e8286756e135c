import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createObserver, parseObserver } from '../../src/observe/index.ts'
import { needPrometheus, Prometheus } from '../prometheus/support/prometheus.ts'
import { environmentWith } from '../prometheus/support/run.ts'

/** A target with a page of metrics that a test writes. */
class Target {
  page = ''
  status = 200
  headers: IncomingHttpHeaders = {}
  /** `performance.now()` of the latest answer. */
  answeredAt = 0
  #asked: () => void = () => {}
  readonly #server: Server = createServer((request, response) => {
    this.headers = request.headers
    this.answeredAt = performance.now()
    response.once('finish', () => this.#asked())
    response.writeHead(this.status, { 'content-type': 'text/plain; version=0.0.4' }).end(this.page)
  })

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  /** The next question has been answered. */
  asked(): Promise<void> {
    return new Promise((resolve) => (this.#asked = resolve))
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

/** What an observer publishes, one after the other. */
class Published {
  readonly #waiting: ((values: Record<string, number>) => void)[] = []
  readonly #values: Record<string, number>[] = []

  readonly take = (values: Record<string, number>): void => {
    const next = this.#waiting.shift()
    if (next === undefined) this.#values.push(values)
    else next(values)
  }

  next(): Promise<Record<string, number>> {
    const value = this.#values.shift()
    if (value !== undefined) return Promise.resolve(value)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

describe('observers', () => {
  let target: Target
  beforeEach(async () => {
    target = await new Target().start()
  })
  afterEach(() => target.stop())

  it('publish gauges as they are and counters as rates', async () => {
    target.page =
      '# TYPE depth gauge\ndepth{queue="a"} 5\n# TYPE jobs_total counter\njobs_total 100\nother 1\n'
    const environment = environmentWith()
    const observer = createObserver(
      parseObserver(`prometheus:http://me:secret@${target.host}/metrics?match=depth,jobs_*&every=1s`),
      environment,
    )
    assert.equal(observer.name, `prometheus http://${target.host}/metrics`)
    const published = new Published()
    observer.start(published.take)
    assert.deepEqual(await published.next(), { 'depth{queue="a"}': 5 })
    const first = { answeredAt: target.answeredAt, publishedAt: performance.now() }
    target.page = target.page.replace('100', '400')
    const { 'jobs_total/s': rate, ...rest } = await published.next()
    const second = { answeredAt: target.answeredAt, publishedAt: performance.now() }
    assert.deepEqual(rest, { 'depth{queue="a"}': 5 })
    // 300 in about a second; each page was read after it was answered and before it was published.
    const least = 300_000 / (second.publishedAt - first.answeredAt)
    const most = 300_000 / (second.answeredAt - first.publishedAt)
    assert.ok(rate! >= least && rate! <= most, `${rate} is not in ${least} to ${most}`)
    await observer.stop()
    assert.equal(target.headers.authorization, `Basic ${Buffer.from('me:secret').toString('base64')}`)
    assert.deepEqual(environment.lines, [])
  })

  it('say trouble once, and when it is over', async () => {
    target.status = 500
    const environment = environmentWith({ LOADS_OBSERVE_TOKEN: 'hush' })
    const logged = new Published()
    const observer = createObserver(parseObserver(`prometheus:http://${target.host}/metrics?every=1s`), {
      ...environment,
      log: (level, text) => {
        environment.log(level, text)
        logged.take({})
      },
    })
    const published = new Published()
    observer.start(published.take)
    await logged.next()
    target.status = 200
    // A page without metrics is trouble as well, and the same trouble is not said again.
    await target.asked()
    target.page = 'up 1\n'
    assert.deepEqual(await published.next(), { up: 1 })
    await observer.stop()
    assert.equal(environment.lines.length, 2)
    assert.match(
      environment.lines[0]!,
      /^warning --observe prometheus http.* does not work: status 500; it is asked again every 1 s/,
    )
    assert.match(environment.lines[1]!, /^info .* works again/)
    assert.equal(target.headers.authorization, 'Bearer hush')
    assert.ok(environment.lines.every((line) => !line.includes('hush')))
  })

  it('publish 200 figures at most, always the same, and say how many there are', async () => {
    target.page = Array.from({ length: 250 }, (_, index) => `figure_${index} ${index}\n`).join('')
    const environment = environmentWith()
    const observer = createObserver(parseObserver(`prometheus:http://${target.host}?every=1s`), environment)
    const published = new Published()
    observer.start(published.take)
    const first = await published.next()
    target.page = target.page.split('\n').reverse().join('\n')
    const second = await published.next()
    await observer.stop()
    assert.equal(Object.keys(first).length, 200)
    assert.deepEqual(Object.keys(second).sort(), Object.keys(first).sort())
    assert.equal(environment.lines.length, 1)
    assert.match(
      environment.lines[0]!,
      /has 50 figures more than the 200 that are shown; choose those that matter/,
    )
  })

  it('publish nothing after they were stopped, not even what is under way', async () => {
    target.page = 'up 1\n'
    const observer = createObserver(parseObserver(`prometheus:http://${target.host}`), environmentWith())
    let published = 0
    observer.start(() => published++)
    await observer.stop()
    observer.start(() => published++)
    assert.equal(published, 0)
  })

  it('ask a real Prometheus', async function () {
    this.timeout(180_000)
    needPrometheus(this)
    // With times of their own they stay where an answer comes too late for a scrape.
    const at = Date.now()
    target.page = `# TYPE work_total counter\nwork_total{part="a"} 5 ${at}\nwork_total{part="b"} 7 ${at}\n`
    const prometheus = await Prometheus.start({ scrape: target.host })
    const environment = environmentWith()
    try {
      await prometheus.until('work_total')
      const ask = (query: string) =>
        createObserver(parseObserver(`prometheus:${prometheus.url}?every=1s&${query}`), environment)
      const values = async (query: string) => {
        const observer = ask(query)
        const published = new Published()
        observer.start(published.take)
        const first = await published.next()
        await observer.stop()
        return first
      }
      assert.deepEqual(await values('query=sum(work_total)&name=work&query=1+1&name=two'), {
        work: 12,
        two: 2,
      })
      assert.deepEqual(await values('query=sum by (part) (work_total)&name=work'), {
        'work{part="a"}': 5,
        'work{part="b"}': 7,
      })
      assert.deepEqual(Object.keys(await values('query=work_total{part="a"}')), [
        `work_total{instance="${target.host}",job="loads",part="a"}`,
      ])
      assert.deepEqual(environment.lines, [])

      const said = new Promise<void>((resolve) => {
        const { log } = environment
        environment.log = (level, text) => {
          log(level, text)
          resolve()
        }
      })
      const observer = ask('query=sum(')
      observer.start(() => {})
      await said
      await observer.stop()
      assert.match(environment.lines[0]!, /does not work: .*parse error/)
    } finally {
      await prometheus.stop()
    }
  })
})
