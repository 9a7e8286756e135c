import assert from 'node:assert/strict'
import { errors } from 'undici'
import { classify, describeBreak, type Break } from '../../src/sessions/hit-error.ts'

const fresh: Break = { reused: false, answered: false, idleMs: 0, elapsedMs: 1 }
const idle: Break = { reused: true, answered: false, idleMs: 5000, elapsedMs: 1 }

function coded(code: string, message = code): Error {
  return Object.assign(new Error(message), { code })
}

describe('classify', () => {
  it('knows what systems and undici call things', () => {
    const expected: Record<string, string> = {
      ENOTFOUND: 'dns',
      EAI_AGAIN: 'dns',
      ECONNREFUSED: 'refused',
      EHOSTUNREACH: 'refused',
      ECONNRESET: 'reset',
      EPIPE: 'reset',
      ETIMEDOUT: 'timeout',
      UND_ERR_CONNECT_TIMEOUT: 'timeout',
      EADDRNOTAVAIL: 'ports',
      EMFILE: 'ports',
      EPROTO: 'tls',
      ERR_SSL_WRONG_VERSION_NUMBER: 'tls',
      ERR_TLS_CERT_ALTNAME_INVALID: 'tls',
      CERT_HAS_EXPIRED: 'tls',
      DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
      UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls',
      HPE_INVALID_CONSTANT: 'protocol',
      UND_ERR_HEADERS_OVERFLOW: 'protocol',
      UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'closed',
      SOMETHING_NEW: 'protocol',
    }
    for (const [code, hitClass] of Object.entries(expected))
      assert.equal(classify(coded(code), fresh), hitClass, code)
    assert.equal(classify(new errors.SocketError('other side closed'), fresh), 'closed')
    assert.equal(classify(new errors.SocketError('bad response'), fresh), 'protocol')
    assert.equal(classify(new errors.HTTPParserError('no HTTP (Invalid EOF state)'), fresh), 'closed')
    assert.equal(classify('thrown text', fresh), 'protocol')
  })

  it('looks into errors of several addresses', () => {
    assert.equal(
      classify(new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')]), fresh),
      'refused',
    )
  })

  it('takes a break for stale only on a connection that had idled for longer than it lasted, before any answer', () => {
    for (const error of [coded('ECONNRESET'), coded('EPIPE'), new errors.SocketError('other side closed')]) {
      assert.equal(classify(error, idle), 'stale-connection')
      assert.notEqual(classify(error, { ...idle, reused: false }), 'stale-connection')
      assert.notEqual(classify(error, { ...idle, answered: true }), 'stale-connection')
      assert.notEqual(classify(error, { ...idle, idleMs: 0.5, elapsedMs: 40 }), 'stale-connection')
    }
    assert.equal(classify(coded('ECONNREFUSED'), idle), 'refused')
  })
})

describe('describeBreak', () => {
  it('says what failed, why in plain words, and what the system said; no query', () => {
    assert.equal(
      describeBreak('GET', 'http://h/x?token=1', 'dns', coded('ENOTFOUND', 'getaddrinfo ENOTFOUND h')),
      'GET http://h/x: the host name could not be resolved (getaddrinfo ENOTFOUND h)',
    )
    assert.match(
      describeBreak('GET', 'http://h/x', 'ports', coded('EADDRNOTAVAIL', 'bind failed')),
      /ran out of local ports.*\(EADDRNOTAVAIL: bind failed\)$/,
    )
  })
})
