import assert from 'node:assert/strict'
import { parseObserver } from '../../src/observe/index.ts'

describe('parseObserver', () => {
  it('reads a page of metrics', () => {
    assert.deepEqual(parseObserver('prometheus:http://target:9100/metrics'), {
      kind: 'scrape',
      address: { url: 'http://target:9100/metrics', authorization: null },
      everyMs: 5_000,
      patterns: [],
    })
    assert.deepEqual(
      parseObserver(
        'prometheus:http://me:p%40ss@target/m?match=process_cpu_seconds_total,http_*&every=2s&match=go_*',
      ),
      {
        kind: 'scrape',
        address: {
          url: 'http://target/m',
          authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
        },
        everyMs: 2_000,
        patterns: ['process_cpu_seconds_total', 'http_*', 'go_*'],
      },
    )
  })

  it('reads questions to a Prometheus, a plus in them as it stands', () => {
    assert.deepEqual(
      parseObserver(
        'prometheus:http://prom:9090?query=sum(rate(a[1m]))+b{c="d=e"}&name=load&query=up%20%25%202&every=10s',
      ),
      {
        kind: 'query',
        address: { url: 'http://prom:9090/', authorization: null },
        everyMs: 10_000,
        queries: [
          { query: 'sum(rate(a[1m]))+b{c="d=e"}', name: 'load' },
          { query: 'up % 2', name: null },
        ],
      },
    )
  })

  it('names what is wrong, and no password', () => {
    const wrong: [text: string, problem: RegExp][] = [
      ['statsd:http://x', /nothing observes "statsd"; write prometheus:http/],
      ['prometheus', /is no address/],
      ['prometheus:target:9100', /"target:9100" is no address/],
      ['prometheus:ftp://x', /is no address/],
      ['prometheus:http://me:secret@[x', /is no address/],
      ['prometheus:me:secret@host', /"host" is no address/],
      ['prometheus:http://x?every=10ms', /every=10ms is no time of a second or more/],
      ['prometheus:http://x?every=often', /every=often is no time/],
      ['prometheus:http://x?nane=a', /no option "nane"/],
      ['prometheus:http://x?name=a', /name= follows the query=/],
      ['prometheus:http://x?query=', /a query is empty/],
      ['prometheus:http://x?query=a&match=b', /give one of them/],
    ]
    for (const [text, problem] of wrong)
      assert.throws(
        () => parseObserver(text),
        (error: Error) => problem.test(error.message) && !error.message.includes('secret'),
        text,
      )
  })
})
