import assert from 'node:assert/strict'
import type { Exchange } from '@loads-runner/testcase'
import { exchangeText } from '../src/exchange-printer.ts'

function exchange(changes: Partial<Exchange> = {}): Exchange {
  return {
    executionId: 'default/0/0',
    method: 'POST',
    url: 'http://127.0.0.1/login',
    requestHeaders: ['accept', '*/*', 'Authorization', 'Basic aHVzaA==', 'x-api-key', 'k'],
    requestBody: 'name=a\nmore=b',
    response: {
      status: 200,
      headers: [
        ['content-type', 'text/plain'],
        ['set-cookie', 'session=hush'],
      ],
      body: Buffer.from('hello'),
      elapsed: 12.34,
      bytesIn: 150,
    },
    error: null,
    ...changes,
  }
}

describe('exchangeText', () => {
  it('shows both sides, and nothing that opens a door', () => {
    assert.deepEqual(exchangeText(exchange()).split('\n'), [
      '> POST http://127.0.0.1/login  (default/0/0)',
      '> accept: */*',
      '> Authorization: [redacted]',
      '> x-api-key: [redacted]',
      '>',
      '> name=a',
      '> more=b',
      '< 200 in 12ms, 150 B',
      '< content-type: text/plain',
      '< set-cookie: [redacted]',
      '<',
      '< hello',
      '',
      '',
    ])
  })

  it('says why no answer came', () => {
    const error = { class: 'refused', message: 'connect ECONNREFUSED' }
    const text = exchangeText(exchange({ requestHeaders: [], requestBody: null, response: null, error }))
    assert.equal(text, '> POST http://127.0.0.1/login  (default/0/0)\n! refused: connect ECONNREFUSED\n\n')
  })

  it('cuts long bodies, and shows none that is no text', () => {
    const response = exchange().response!
    const long = exchangeText(exchange({ response: { ...response, body: Buffer.from('é'.repeat(5000)) } }))
    assert.match(long, /^< é{2000}\n< \.\.\. 6\.0 kB more$/m)
    const binary = exchangeText(exchange({ response: { ...response, body: Buffer.from([0, 1, 255]) } }))
    assert.match(binary, /^< 3 B that are no text$/m)
    const tricky = exchangeText(exchange({ response: { ...response, headers: [['x', 'a\u001b[2Jb']] } }))
    assert.ok(!tricky.includes('\u001b'))
  })
})
