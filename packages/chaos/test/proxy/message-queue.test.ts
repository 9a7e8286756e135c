import assert from 'node:assert/strict'

import { http } from '../../src/protocols/http.ts'
import { FakeHost } from '../support/fake-host.ts'

describe('MessageQueue', () => {
  it('counts what it costs to keep many small pieces, and gives it back', () => {
    const host = new FakeHost(http, [{ type: 'delay', attributes: { sleep: '1s' } }])
    const head = 'POST / HTTP/1.1\r\nContent-Length: 500\r\n\r\n'
    host.clientSends(head)
    for (let i = 0; i < 500; i++) host.clientSends('x')
    assert.ok(host.held.upstream > 500 * 100, `${host.held.upstream} held`)
    host.pass(1000)
    assert.equal(host.atBackend, head + 'x'.repeat(500))
    assert.equal(host.held.upstream, 0)
  })
})
