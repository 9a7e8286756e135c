import assert from 'node:assert/strict'
import type { OutputError } from '../../src/errors.ts'
import { createInflux2, createInflux3 } from '../../src/influx/index.ts'
import type { Output } from '../../src/output.ts'
import { fixtureRun, fixtureSummary, outputConformance } from '../../src/testing.ts'
import { environmentWith } from '../prometheus/support/run.ts'
import { recordsOf, writeAll } from './support/feed.ts'
import { LineReceiver, type Answer } from './support/line-receiver.ts'

const secret = 'sEcret-t0ken=='

/** Answers as InfluxData documents them. */
const answers = {
  2: {
    unauthorized: { status: 401, text: '{"code":"unauthorized","message":"unauthorized access"}' },
    missing: { status: 404, text: '{"code":"not found","message":"bucket \\"runs\\" not found"}' },
    partial: {
      status: 422,
      text: '{"code":"unprocessable entity","message":"failure writing points to database: partial write: field type conflict: input field \\"hits\\" on measurement \\"loads_run\\" is type float, already exists as type integer dropped=1"}',
    },
    tooLarge: {
      status: 413,
      text: '{"code":"request too large","message":"cannot read data: points batch is too large"}',
    },
    busy: {
      status: 429,
      text: '{"code":"too many requests","message":"write rate exceeded"}',
      headers: { 'retry-after': '50' },
    },
    broken: {
      status: 503,
      text: '{"code":"unavailable","message":"unexpected error writing points to database: timeout"}',
    },
  },
  3: {
    unauthorized: { status: 401, text: '{"error": "the request was not authenticated"}' },
    missing: { status: 404, text: '{"error":"the database was not found"}' },
    partial: {
      status: 400,
      text: '{"error":"partial write of line protocol occurred","data":[{"error_message":"invalid column type for column \'hits\', expected iox::column_type::field::integer, got iox::column_type::field::float","line_number":2,"original_line":"loads_run,run=x hits=1"}]}',
    },
    tooLarge: { status: 413, text: '{"error":"the request body is too large"}' },
    get busy() {
      const until = new Date(Date.now() + 60_000).toUTCString()
      return { status: 429, text: '', headers: { 'retry-after': until } }
    },
    broken: { status: 500, text: '{"error":"internal server error"}' },
  },
} as const satisfies Record<number, Record<string, Answer>>

const versions = [
  {
    version: 2 as const,
    make: createInflux2,
    path: '/acme/runs',
    endpoint: '/api/v2/write',
    query: { org: 'acme', bucket: 'runs', precision: 'ms' },
    authorization: `Token ${secret}`,
  },
  {
    version: 3 as const,
    make: createInflux3,
    path: '/runs',
    endpoint: '/api/v3/write_lp',
    query: { db: 'runs', precision: 'millisecond' },
    authorization: `Bearer ${secret}`,
  },
]

for (const { version, make, path, endpoint, query, authorization } of versions) {
  const said = answers[version]
  const environment = () => environmentWith({ LOADS_INFLUX_TOKEN: secret })

  outputConformance(`influx${version}`, {
    troubles: ['broken', 'hanging', 'refusing'],
    countsWarmUp: true,
    start: async () => {
      const receiver = await new LineReceiver().start()
      return {
        output: make(`${receiver.url}${path}`, environment()),
        make: (trouble) => {
          const answer =
            trouble === null
              ? { status: 204 }
              : { broken: said.broken, refusing: said.unauthorized, hanging: null }[trouble]
          receiver.answer = () => answer
        },
        arrived: async () => {
          const seconds = receiver.stored('loads_run').filter(({ tags }) => tags['span'] === '1s')
          const sum = (field: string) =>
            seconds.reduce((total, { fields }) => total + Number(fields[field] ?? 0), 0)
          const firsts = new Set<string>()
          return {
            hits: sum('hits'),
            failed: sum('failed'),
            times: receiver.kept
              .filter(({ measurement, tags, at }) => {
                const isNew = measurement === 'loads_run' && tags['span'] === '1s' && !firsts.has(`${at}`)
                if (isNew) firsts.add(`${at}`)
                return isNew
              })
              .map(({ at }) => at),
            text: JSON.stringify(receiver.kept),
          }
        },
        close: async () => receiver.stop(),
      }
    },
  })

  describe(`influx${version}`, () => {
    let receiver: LineReceiver
    beforeEach(async () => {
      receiver = await new LineReceiver().start()
    })
    afterEach(() => receiver.stop())

    const output = (env = environment()): Output => make(`${receiver.url}${path}`, env)
    const fed = () => recordsOf(fixtureRun())
    const signal = () => AbortSignal.timeout(20_000)

    it('writes lines to the endpoint of this version, with the token', async () => {
      await writeAll(output(), fed())
      assert.ok(receiver.requests.length >= 2)
      for (const request of receiver.requests) {
        assert.equal(request.method, 'POST')
        assert.equal(request.url.pathname, endpoint)
        assert.deepEqual(Object.fromEntries(request.url.searchParams), query)
        assert.equal(request.headers.authorization, authorization)
      }
      const [summary] = receiver.stored('loads_summary')
      assert.equal(summary!.fields['hits'], fixtureSummary().hits.count)
      assert.equal(summary!.fields['p99'], fixtureSummary().serviceTime.p99)
    })

    it('takes the token of INFLUX_TOKEN where its own is not set', async () => {
      await writeAll(output(environmentWith({ INFLUX_TOKEN: secret })), fed())
      assert.equal(receiver.requests[0]!.headers.authorization, authorization)
    })

    for (const problem of ['unauthorized', 'missing'] as const)
      it(`is refused at once when the answer is ${said[problem].status}, and says what to do`, async () => {
        receiver.answer = () => said[problem]
        await assert.rejects(output().open(fed().run), (error: OutputError) => {
          assert.equal(error.code, 'OUTPUT_REFUSED')
          assert.match(
            error.message,
            problem === 'missing' ? /make it there: influx/ : /set LOADS_INFLUX_TOKEN/,
          )
          assert.ok(!error.message.includes(secret))
          assert.match(error.message, /not found|not authenticated|unauthorized access/)
          return true
        })
      })

    it('goes on after a partial write, and tells it once, in the words of the server', async () => {
      const own = environment()
      const writing = output(own)
      const { run, records } = fed()
      await writing.open(run)
      receiver.answer = () => said.partial
      await writing.write(records.slice(0, 5), signal())
      await writing.write(records.slice(5), signal())
      await writing.close()
      assert.equal(own.lines.length, 1, own.lines.join('\n'))
      assert.match(own.lines[0]!, /field type conflict|invalid column type for column 'hits'/)
      assert.match(own.lines[0]!, /did not take all of \d+ points/)
    })

    it('halves a batch that is too large until it is taken', async () => {
      const most = 7
      const writing = output()
      const { run, records } = fed()
      await writing.open(run)
      receiver.answer = ({ lines }) => (lines.length > most ? said.tooLarge : { status: 204 })
      await writing.write(records, signal())
      await writing.close()
      const taken = receiver.requests.filter(({ lines }) => lines.length <= most)
      assert.ok(taken.length > 20)
      assert.equal(receiver.stored('loads_summary').length, 1)
    })

    it('waits as long as it is asked to before it sends again', async () => {
      const writing = output()
      const { run, records } = fed()
      await writing.open(run)
      receiver.answer = () => said.busy
      const failure = { code: 'OUTPUT_UNAVAILABLE' }
      await assert.rejects(writing.write(records, signal()), failure)
      const sent = receiver.requests.length
      receiver.answer = () => ({ status: 204 })
      await assert.rejects(writing.write(records, signal()), {
        ...failure,
        message: /left alone for \d+ s more/,
      })
      assert.equal(receiver.requests.length, sent, 'nothing was sent meanwhile')
      await writing.close()
    })

    it('rejects, to be tried again, while the server is broken or away', async () => {
      const writing = output()
      const { run, records } = fed()
      receiver.answer = () => said.broken
      await assert.rejects(writing.open(run), { code: 'OUTPUT_UNAVAILABLE', message: /answered 50\d/ })
      receiver.stop()
      await assert.rejects(writing.open(run), {
        code: 'OUTPUT_UNAVAILABLE',
        message: /cannot be reached: (other side closed|.*ECONN(REFUSED|RESET))/,
      })
      await assert.rejects(writing.write(records, signal()), { code: 'OUTPUT_UNAVAILABLE' })
      await writing.close()
    })

    it('does not follow elsewhere, where the token would go along', async () => {
      receiver.answer = () => ({ status: 307, headers: { location: 'http://127.0.0.1:9/' } })
      await assert.rejects(output().open(fed().run), { code: 'OUTPUT_REFUSED', message: /give the address/ })
    })
  })
}

describe('influx addresses', () => {
  const bad: [string, (args: string) => unknown, string, RegExp][] = [
    [
      'influx2',
      (args) => createInflux2(args, environmentWith({ INFLUX_TOKEN: 'x' })),
      '',
      /an address is missing/,
    ],
    [
      'influx2',
      (args) => createInflux2(args, environmentWith({ INFLUX_TOKEN: 'x' })),
      'http://h:8086/org',
      /name of the database is missing/,
    ],
    [
      'influx2',
      (args) => createInflux2(args, environmentWith()),
      'http://h:8086/org/bucket',
      /there is no token; set LOADS_INFLUX_TOKEN/,
    ],
    [
      'influx3',
      (args) => createInflux3(args, environmentWith()),
      'http://me:pass-word@h:8181/db',
      /a token is not part of the address/,
    ],
    [
      'influx3',
      (args) => createInflux3(args, environmentWith()),
      'ftp://me:pass-word@h/db',
      /no address of http or https/,
    ],
    [
      'influx3',
      (args) => createInflux3(args, environmentWith()),
      'http://me:pass-word@h:port/db',
      /is no address/,
    ],
    [
      'influx3',
      (args) => createInflux3(args, environmentWith()),
      'http://h:8181/db?token=pass-word',
      /there is no option "token"/,
    ],
  ]
  for (const [name, create, args, message] of bad)
    it(`${name}:${args} is refused: ${message.source}`, () => {
      assert.throws(
        () => create(args),
        (error: OutputError) => {
          assert.equal(error.code, 'OUTPUT_ARGUMENTS')
          assert.match(error.message, message)
          assert.ok(!error.message.includes('pass-word'), error.message)
          assert.match(error.message, /write influx|set LOADS_INFLUX_TOKEN/)
          return true
        },
      )
    })
})
