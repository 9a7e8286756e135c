import assert from 'node:assert/strict'
import { formatEndpoint, parseEndpoint } from '../src/endpoint.ts'

describe('endpoint', () => {
  it('reads names and addresses of both families', () => {
    assert.deepEqual(parseEndpoint('broker.example:7776'), { host: 'broker.example', port: 7776 })
    assert.deepEqual(parseEndpoint('127.0.0.1:1'), { host: '127.0.0.1', port: 1 })
    assert.deepEqual(parseEndpoint('[2001:db8::1]:65535'), { host: '2001:db8::1', port: 65535 })
  })

  it('refuses anything else', () => {
    for (const text of [
      '',
      'host',
      'host:',
      ':1',
      'host:0',
      'host:65536',
      '::1:1',
      '[host]:1',
      'host:1x',
      'ho st:1',
    ])
      assert.equal(parseEndpoint(text), null, text)
  })

  it('writes brackets around IPv6 only', () => {
    assert.equal(formatEndpoint('::1', 80), '[::1]:80')
    assert.equal(formatEndpoint('localhost', 80), 'localhost:80')
  })
})
