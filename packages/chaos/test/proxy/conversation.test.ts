import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { ChaosError } from '../../src/errors.ts'
import { findFault } from '../../src/faults/registry.ts'
import { http } from '../../src/protocols/http.ts'
import { defineProtocol } from '../../src/protocols/protocol.ts'
import { tcp } from '../../src/protocols/tcp.ts'
import { Decider } from '../../src/rules/decider.ts'
import { ruleAttributes } from '../../src/rules/parse-rule.ts'
import { FakeHost } from '../support/fake-host.ts'
import { lines } from '../support/line-protocol.ts'

const only = (text: string): { match: { text: string } } => ({ match: { text } })

describe('Conversation', () => {
  it('passes on requests and replies as they come', () => {
    const host = new FakeHost(lines)
    host.clientSends('a\nb')
    assert.equal(host.atBackend, 'a\n')
    host.clientSends('b\n')
    assert.equal(host.atBackend, 'bb\n')
    host.backendSends('1')
    assert.equal(host.atClient, '1')
    host.backendSends('1\n*note\n2\n')
    assert.equal(host.atClient, '1\n*note\n2\n')
    assert.deepEqual(host.held, { upstream: 0, downstream: 0 })
    assert.deepEqual(host.events, [])
  })

  it('an answer of a rule takes the place of its request among the replies', () => {
    const host = new FakeHost(lines, [{ type: 'error', attributes: only('b*') }])
    host.clientSends('a\nb\nc\nb2\n')
    assert.equal(host.atBackend, 'a\nc\n')
    assert.equal(host.atClient, '')
    host.backendSends('A\n')
    assert.equal(host.atClient, 'A\nERR b\n')
    host.backendSends('C\n')
    assert.equal(host.atClient, 'C\nERR b2\n')
    assert.deepEqual(
      host.faults.map(({ rule, fault, ordinal, request }) => ({ rule, fault, ordinal, request })),
      [
        { rule: 'error_downstream', fault: 'line_error', ordinal: 2, request: 'b' },
        { rule: 'error_downstream', fault: 'line_error', ordinal: 4, request: 'b2' },
      ],
    )
    assert.deepEqual(host.held, { upstream: 0, downstream: 0 })
  })

  it('an answer after the backend has worked: its own reply is dropped', () => {
    const host = new FakeHost(lines, [{ type: 'error', attributes: { ...only('b'), backend: 'asked' } }])
    host.clientSends('a\nb\nc\n')
    assert.equal(host.atBackend, 'a\nb\nc\n')
    host.backendSends('A\nB')
    assert.equal(host.atClient, 'A\n')
    host.backendSends('\nC\n')
    assert.equal(host.atClient, 'ERR b\nC\n')
  })

  it('an answer that closes ends the connection behind it', () => {
    const host = new FakeHost(lines, [{ type: 'error', attributes: { ...only('b'), closes: 'true' } }])
    host.clientSends('a\nb\nc\n')
    assert.equal(host.atBackend, 'a\n')
    assert.equal(host.closing, null)
    host.backendSends('A\n')
    assert.equal(host.atClient, 'A\nERR b\n')
    assert.equal(host.closing, 'finish error_downstream')
    host.clientSends('d\n')
    host.backendSends('x\n')
    assert.equal(host.atBackend + host.atClient, '')
  })

  it('a request without a reply gets no answer, and is spared nevertheless', () => {
    const host = new FakeHost(lines, [{ type: 'error', attributes: only('!b') }])
    host.clientSends('a\n!b\n!c\nd\n')
    assert.equal(host.atBackend, 'a\n!c\nd\n')
    host.backendSends('A\nD\n')
    assert.equal(host.atClient, 'A\nD\n')
    assert.equal(host.faults.length, 1)
  })

  it('a delay of requests holds those behind, not those before, and not for longer than their own', () => {
    const host = new FakeHost(lines, [
      { type: 'delay', attributes: { sleep: '100ms', match: { text: 'b*' } } },
    ])
    host.clientSends('a\nb\nc\n')
    assert.equal(host.atBackend, 'a\n')
    host.pass(60)
    host.clientSends('b2\nd\n')
    host.pass(39)
    assert.equal(host.atBackend, '')
    host.pass(1)
    assert.equal(host.atBackend, 'b\nc\n')
    host.pass(59)
    assert.equal(host.atBackend, '')
    host.pass(1)
    assert.equal(host.atBackend, 'b2\nd\n')
    assert.equal(host.faults.length, 2)
    host.backendSends('A\nB\nC\nB2\nD\n')
    assert.equal(host.atClient, 'A\nB\nC\nB2\nD\n')
    assert.deepEqual(host.held, { upstream: 0, downstream: 0 })
  })

  it('a delay of replies counts from the first byte of each', () => {
    const host = new FakeHost(lines, [
      { type: 'delay', attributes: { sleep: 0.1, before: false, match: { text: 'b' } } },
    ])
    host.clientSends('a\nb\nc\n')
    assert.equal(host.atBackend, 'a\nb\nc\n')
    host.pass(500)
    host.backendSends('A\nB')
    assert.equal(host.atClient, 'A\n')
    host.pass(50)
    host.backendSends('B\nC\n')
    host.pass(49)
    assert.equal(host.atClient, '')
    host.pass(1)
    assert.equal(host.atClient, 'BB\nC\n')
  })

  it('delays of several rules add up; of answers the first counts, and tells alone', () => {
    const host = new FakeHost(lines, [
      { type: 'delay', name: 'd1', attributes: { sleep: '30ms' } },
      { type: 'delay', name: 'd2', attributes: { sleep: '20ms' } },
      { type: 'error', name: 'e' },
      { type: 'hang', name: 'h' },
    ])
    host.clientSends('a\n')
    host.pass(49)
    assert.equal(host.atClient, '')
    host.pass(1)
    assert.equal(host.atClient, 'ERR a\n')
    assert.deepEqual(
      host.faults.map(({ rule }) => rule),
      ['d1', 'd2', 'e'],
    )
  })

  it('a delay that is removed holds nothing any more', () => {
    const host = new FakeHost(lines, [{ type: 'delay', name: 'd', attributes: { sleep: '1h' } }])
    host.clientSends('a\nb\n')
    assert.equal(host.atBackend, '')
    host.ruleSet.remove('d')
    assert.equal(host.atBackend, 'a\nb\n')
    assert.equal(host.timers, 0)
    assert.deepEqual(host.held.downstream, 0)
  })

  it('a rule in place of another of the same name is another: what the first held goes on, and it is told anew', () => {
    const host = new FakeHost(lines, [{ type: 'delay', name: 'd', attributes: { sleep: '10s' } }])
    host.clientSends('a\n')
    host.ruleSet.replace([{ type: 'delay', name: 'd', attributes: { sleep: 0 } }])
    assert.equal(host.atBackend, 'a\n')
    const once = { type: 'error', name: 'e', attributes: { unit: 'connection' } }
    host.ruleSet.replace([once])
    host.clientSends('b\n')
    host.ruleSet.replace([once])
    host.clientSends('c\n')
    assert.equal(host.faults.filter(({ rule }) => rule === 'e').length, 2)
  })

  it('#24 attributes that are changed count for the next request of a connection that is open', () => {
    const host = new FakeHost(lines, [{ type: 'delay', name: 'd', attributes: { sleep: 0 } }])
    host.clientSends('a\n')
    assert.equal(host.atBackend, 'a\n')
    host.ruleSet.update('d', { attributes: { sleep: '5ms' } })
    host.clientSends('b\n')
    assert.equal(host.atBackend, '')
    host.pass(5)
    assert.equal(host.atBackend, 'b\n')
    host.ruleSet.update('d', { attributes: { before: false } })
    host.clientSends('c\n')
    assert.equal(host.atBackend, 'c\n')
    host.backendSends('A\nB\nC\n')
    assert.equal(host.atClient, 'A\nB\n')
    host.pass(5)
    assert.equal(host.atClient, 'C\n')
  })

  it('hang: what was asked before is answered, nothing else passes, and the client may leave', () => {
    const host = new FakeHost(lines, [{ type: 'hang', name: 'h', attributes: only('b') }])
    host.clientSends('a\nb\nc\n')
    host.clientSends('d\n'.repeat(1000))
    assert.equal(host.atBackend, 'a\n')
    host.backendSends('A\n*note\n')
    assert.equal(host.atClient, 'A\n')
    host.backendSends('B\n')
    host.conversation.backendEnded()
    assert.equal(host.atClient, '')
    assert.ok(!host.isClientEnded)
    assert.ok(host.held.upstream < 1000, 'what is swallowed is not held')
    assert.equal(host.timers, 0)
    host.conversation.clientEnded()
    assert.equal(host.closing, 'fin h')
  })

  it('hang: ends with the rule', () => {
    const host = new FakeHost(lines, [
      { type: 'hang', name: 'h' },
      { type: 'delay', name: 'other' },
    ])
    host.clientSends('a\n')
    host.ruleSet.remove('other')
    assert.equal(host.closing, null)
    host.ruleSet.remove('h')
    assert.equal(host.closing, 'fin h')
  })

  for (const how of ['fin', 'rst'])
    it(`blackout (${how}): after the replies to what was asked before, and the backend never sees it`, () => {
      const host = new FakeHost(lines, [{ type: 'blackout', name: 'x', attributes: { ...only('b'), how } }])
      host.clientSends('a\nb\nc\n')
      assert.equal(host.atBackend, 'a\n')
      assert.equal(host.closing, null)
      host.backendSends('A\n')
      assert.equal(host.closing, how === 'fin' ? 'finish x' : 'rst x')
      assert.equal(host.atClient, 'A\n')
    })

  it('abort: the backend gets the whole request, the client an end', () => {
    const host = new FakeHost(lines, [{ type: 'abort', name: 'x', attributes: only('b') }])
    host.clientSends('a\nb\nc\n')
    assert.equal(host.atBackend, 'a\nb\n')
    assert.equal(host.closing, null)
    host.backendSends('A\n')
    assert.equal(host.atClient, 'A\n')
    assert.equal(host.closing, 'finish x')
  })

  it('transient: the first units of all connections, anew when it is added anew', () => {
    const decider = new Decider(1, 'proxy')
    const faults = [{ type: 'transient', name: 't', attributes: { agitate: 3, closes: 'false' } }]
    const first = new FakeHost(lines, faults, { decider })
    first.clientSends('a\nb\n')
    const second = new FakeHost(lines, faults, { decider, connection: 2 })
    second.clientSends('c\nd\n')
    first.clientSends('e\n')
    assert.equal(first.atClient, 'ERR a\nERR b\n')
    assert.equal(first.atBackend, 'e\n')
    assert.equal(second.atClient, 'ERR c\n')
    assert.equal(second.atBackend, 'd\n')
    first.ruleSet.remove('t')
    first.ruleSet.add(...faults)
    first.backendSends('E\n')
    first.clientSends('f\n')
    assert.equal(first.atClient, 'E\nERR f\n')
  })

  it('a rule of unit connection is drawn once: all requests or none, and one event', () => {
    let hit = 0
    for (let connection = 1; connection <= 100; connection++) {
      const faults = [{ type: 'error', toxicity: 0.5, attributes: { unit: 'connection' } }]
      const host = new FakeHost(lines, faults, { connection })
      host.clientSends('a\nb\nc\n')
      const got = host.atClient
      assert.ok(got === '' || got === 'ERR a\nERR b\nERR c\n')
      assert.equal(host.faults.length, got === '' ? 0 : 1)
      // A neighbour that comes and goes, and another toxicity, draw nothing again.
      host.ruleSet.add({ type: 'dummy', name: 'n' })
      host.ruleSet.remove('n')
      host.ruleSet.update('error_downstream', { toxicity: 0.51 })
      host.clientSends('d\n')
      if (got !== '') {
        assert.equal(host.atClient, 'ERR d\n')
        hit++
      }
      host.ruleSet.update('error_downstream', { toxicity: 0 })
      host.clientSends('e\n')
      assert.ok(host.atBackend.endsWith('e\n'))
    }
    assert.ok(hit > 25 && hit < 75, `${hit}`)
  })

  it('chunks: each piece of a direction, delayed or replaced, and the end behind them', () => {
    const host = new FakeHost(lines, [
      { type: 'delay', stream: 'downstream', attributes: { unit: 'chunk', sleep: '10ms', every: 2 } },
    ])
    host.clientSends('a\nb\nc\n')
    assert.equal(host.atBackend, 'a\nb\nc\n')
    host.backendSends('A\n')
    assert.equal(host.atClient, '')
    host.backendSends('B\n')
    host.backendSends('C\n')
    host.conversation.backendEnded()
    assert.ok(!host.isClientEnded)
    host.pass(10)
    assert.equal(host.atClient, 'A\nB\nC\n')
    assert.ok(host.isClientEnded)
    assert.deepEqual(
      host.faults.map(({ ordinal, direction, unit }) => [ordinal, direction, unit]),
      [
        [1, 'downstream', 'chunk'],
        [3, 'downstream', 'chunk'],
      ],
    )
  })

  it('the end of the client passes behind what is held', () => {
    const host = new FakeHost(lines, [{ type: 'delay', attributes: { sleep: '10ms' } }])
    host.clientSends('a\n')
    host.conversation.clientEnded()
    assert.ok(!host.isBackendEnded)
    host.pass(10)
    assert.equal(host.atBackend, 'a\n')
    assert.ok(host.isBackendEnded)
    host.backendSends('A\n')
    host.conversation.backendEnded()
    assert.equal(host.atClient, 'A\n')
    assert.ok(host.isClientEnded)
  })

  it('the end of the backend: what there is of replies, and no answer out of its place', () => {
    const host = new FakeHost(lines, [{ type: 'error', attributes: only('c') }])
    host.clientSends('a\nb\nc\n')
    host.backendSends('A\nB')
    host.conversation.backendEnded()
    assert.equal(host.atClient, 'A\nB')
    assert.ok(host.isClientEnded)
  })

  it('the end of the backend with an answer of a rule outstanding', () => {
    const host = new FakeHost(lines, [
      { type: 'error' },
      { type: 'delay', attributes: { sleep: '10ms', before: false } },
    ])
    host.clientSends('a\n')
    host.conversation.backendEnded()
    assert.ok(!host.isClientEnded)
    host.pass(10)
    assert.equal(host.atClient, 'ERR a\n')
    assert.ok(host.isClientEnded)
  })

  it('opaque: all passes, in order, behind what is held', () => {
    const host = new FakeHost(lines, [
      { type: 'delay', attributes: { sleep: '10ms', match: { text: 'a' } } },
      { type: 'error', attributes: only('b') },
    ])
    host.clientSends('a\n~raw\nb\n')
    host.clientSends('b\n')
    assert.equal(host.atBackend, '')
    assert.equal(host.events.at(-1)!.type, 'opaque')
    host.pass(10)
    assert.equal(host.atBackend, 'a\n~raw\nb\nb\n')
    host.backendSends('anything')
    assert.equal(host.atClient, 'anything')
    host.conversation.clientEnded()
    host.conversation.backendEnded()
    assert.ok(host.isBackendEnded && host.isClientEnded)
  })

  it('opaque with an answer that has lost its place: the connection ends', () => {
    const host = new FakeHost(lines, [{ type: 'error', attributes: only('b') }])
    host.clientSends('a\nb\n~')
    assert.match(host.closing!, /^finish/)
  })

  it('#25 1,000 pipelined requests keep their order with delays and errors mixed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.array(fc.integer({ min: 1, max: 3000 })),
        (seed, cuts) => {
          const host = new FakeHost(
            lines,
            [
              { type: 'error', name: 'e', toxicity: 0.2 },
              { type: 'error', name: 'after', toxicity: 0.2, attributes: { backend: 'asked' } },
              { type: 'delay', name: 'd', toxicity: 0.1, attributes: { sleep: '7ms' } },
              { type: 'delay', name: 'd2', toxicity: 0.1, attributes: { sleep: '5ms', before: false } },
            ],
            { seed },
          )
          const sent = Array.from({ length: 1000 }, (_, at) => `r${at}`)
          let text = sent.map((each) => `${each}\n`).join('')
          let got = ''
          let asked = ''
          const serve = (): void => {
            asked += host.atBackend
            const whole = asked.lastIndexOf('\n') + 1
            const requests = asked.slice(0, whole)
            asked = asked.slice(whole)
            if (requests !== '') host.backendSends(requests.replaceAll('r', 'R'))
            got += host.atClient
          }
          for (const length of [...cuts, text.length]) {
            host.clientSends(text.slice(0, length))
            text = text.slice(length)
            host.pass(1)
            serve()
          }
          for (let turn = 0; turn < 5000 && got.split('\n').length <= 1000; turn++) {
            host.pass(1)
            serve()
          }
          const places = got
            .trim()
            .split('\n')
            .map((line) => Number(/\d+$/.exec(line)![0]))
          assert.deepEqual(
            places,
            sent.map((_, at) => at),
          )
          const errors = host.faults.filter(({ fault }) => fault === 'line_error').length
          assert.equal(got.split('ERR').length - 1, errors)
          assert.ok(errors > 200, `${errors}`)
          assert.deepEqual(host.held, { upstream: 0, downstream: 0 })
        },
      ),
      { numRuns: 10 },
    )
  })

  it('#26 the same seed decides the same; another one differs', () => {
    const told = (seed: number): string => {
      const decider = new Decider(seed, 'proxy')
      const hosts = Array.from(
        { length: 50 },
        (_, at) => new FakeHost(lines, [{ type: 'error', toxicity: 0.2 }], { decider, connection: at + 1 }),
      )
      // In another order each time.
      const order = Array.from({ length: 500 }, (_, at) => at % 50).sort(() => Math.random() - 0.5)
      for (const place of order) hosts[place]!.clientSends('a\n')
      return JSON.stringify(hosts.map((host) => host.faults.map(({ ordinal, draw }) => [ordinal, draw])))
    }
    assert.equal(told(1), told(1))
    assert.notEqual(told(1), told(2))
  })

  it('#26 20 % of 10,000 requests are within the binomial 99.9 % bound', () => {
    for (const seed of [1, 2, 3]) {
      const host = new FakeHost(lines, [{ type: 'error', toxicity: 0.2 }], { seed })
      host.clientSends('a\n'.repeat(10_000))
      // 3.29 standard deviations of a binomial: sqrt(10,000 * 0.2 * 0.8) = 40.
      assert.ok(Math.abs(host.faults.length - 2000) <= 3.29 * 40, `${host.faults.length}`)
    }
  })

  it('#27 toxicity 0 changes nothing and tells nothing', () => {
    const types = ['error', 'delay', 'hang', 'blackout', 'abort', 'transient', 'dummy']
    const host = new FakeHost(
      lines,
      types.map((type) => ({ type, toxicity: 0 })),
    )
    host.clientSends('a\nb\n')
    assert.equal(host.atBackend, 'a\nb\n')
    host.backendSends('A\nB\n')
    assert.equal(host.atClient, 'A\nB\n')
    assert.deepEqual(host.events, [])
  })

  it('what is held is given back when the connection closes', () => {
    const host = new FakeHost(lines, [{ type: 'delay', attributes: { sleep: '1h' } }])
    host.clientSends('a\nb\n')
    assert.ok(host.held.upstream > 0)
    host.conversation.closed()
    host.clientSends('c\n')
    host.pass(3_600_000)
    assert.equal(host.atBackend, '')
  })

  it('a protocol or a fault that throws costs its connection, and nobody else', () => {
    const failing = defineProtocol({
      ...lines,
      open: () => ({
        fromClient() {
          throw new Error('no such verb')
        },
        fromBackend() {},
      }),
    })
    const host = new FakeHost(failing)
    host.clientSends('a\n')
    assert.equal(host.closing, 'rst an error: no such verb')
    host.clientSends('b\n')
    assert.equal(host.atBackend, '')
  })

  it('#31 attributes of any kind: refused, or something that works', () => {
    const values = fc.oneof(
      fc.constantFrom(
        0,
        -1,
        1.5,
        2 ** 60,
        Number.NaN,
        Infinity,
        '',
        'x',
        '5',
        '-5',
        '1e3',
        '50%',
        true,
        null,
      ),
      fc.constantFrom(
        [],
        ['503:0'],
        {},
        'fin',
        'rst',
        'after',
        'truncate',
        'wrong_length',
        'false',
        '503,429:2',
      ),
      fc.string(),
      fc.double(),
      fc.integer(),
    )
    for (const [protocol, request, reply] of [
      [lines, 'a\nb\n', 'A\nB\n'],
      [http, 'GET / HTTP/1.1\r\n\r\n'.repeat(2), 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'.repeat(2)],
      [tcp, 'bytes', 'more'],
    ] as const)
      for (const type of ['delay', 'hang', 'blackout', 'transient', 'abort', 'dummy', 'error']) {
        const keys = [...Object.keys(findFault(type, protocol).attributes), ...Object.keys(ruleAttributes)]
        const attributes = fc.dictionary(fc.constantFrom(...keys), values, { maxKeys: 3 })
        fc.assert(
          fc.property(attributes, fc.oneof(fc.constant(1), values), (written, toxicity) => {
            let host: FakeHost
            try {
              host = new FakeHost(protocol, [{ type, attributes: written, toxicity: toxicity as number }])
            } catch (error) {
              assert.equal((error as ChaosError).code, 'CHAOS_ATTRIBUTE')
              return
            }
            host.clientSends(request)
            host.backendSends(reply)
            host.pass(2000)
            host.conversation.backendEnded()
            host.conversation.clientEnded()
            host.pass(2_000_000_000)
            assert.doesNotMatch(host.closing ?? '', /an error/)
          }),
          { numRuns: 60 },
        )
      }
  })
})
