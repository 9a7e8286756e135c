import assert from 'node:assert/strict'
import fc from 'fast-check'
import { fillTemplate, routeOf, withQuery } from '../../../src/sessions/http/route.ts'
import { Server } from '../../../src/sessions/server.ts'

const server = new Server('http://localhost:8080', 'TestWebSite')

describe('routeOf', () => {
  it('resolves relative URLs on the server and names them by their path', () => {
    assert.deepEqual(routeOf('/users?page=2#top', server), {
      origin: 'http://localhost:8080',
      path: '/users?page=2',
      name: '/users',
      href: 'http://localhost:8080/users?page=2',
      authorization: null,
    })
    assert.equal(routeOf('users', server).path, '/users')
    assert.equal(routeOf('', server).path, '/')
    assert.equal(routeOf('?a=1', server).path, '/?a=1')
    assert.equal(routeOf('//users', server).origin, 'http://localhost:8080')
  })

  it('keeps the path of the server in front', () => {
    const api = new Server('http://localhost/api/v1/', 'T')
    assert.equal(routeOf('/users', api).path, '/api/v1/users')
    assert.equal(routeOf('users', api).path, '/api/v1/users')
    assert.equal(routeOf('', api).path, '/api/v1/')
  })

  it('names URLs of other servers with their origin, never with query or credentials', () => {
    const route = routeOf('http://ann:se%20cret@localhost:9200/_search?q=secret', server)
    assert.equal(route.name, 'http://localhost:9200/_search')
    assert.equal(route.href, 'http://localhost:9200/_search?q=secret')
    assert.equal(route.authorization, `Basic ${Buffer.from('ann:se cret').toString('base64')}`)
    assert.equal(routeOf('http://localhost:9200', server).name, 'http://localhost:9200/')
  })

  it('names absolute URLs of the server like relative ones', () => {
    assert.equal(routeOf('http://localhost:8080/users?x', server).name, '/users')
  })

  it('does without a server for absolute URLs only, and says both ways to name one', () => {
    const none = new Server(null, 'TestWebSite')
    assert.equal(routeOf('http://localhost:9200', none).path, '/')
    assert.throws(() => routeOf('/x', none), {
      code: 'TESTCASE_NO_SERVER_URL',
      message: /static serverUrl = .* in TestWebSite, or run with --server-url/,
    })
  })

  it('refuses what is no HTTP URL', () => {
    for (const url of ['ftp://localhost/', 'http://', 'ws://localhost/', 'http://a b/']) {
      assert.throws(() => routeOf(url, server), { name: 'UsageError' }, url)
    }
    assert.throws(() => routeOf('/x', new Server('localhost:80', 'T')), {
      name: 'UsageError',
      message: /localhost:80/,
    })
  })
})

describe('fillTemplate', () => {
  it('fills parts and encodes values, so that none can leave its segment', () => {
    assert.equal(
      fillTemplate('/users/:id/posts/:post_id', { id: 7, post_id: 'a/b?c' }, 't'),
      '/users/7/posts/a%2Fb%3Fc',
    )
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme-ascii' }), (value) => {
        const filled = fillTemplate('/a/:value/z?q=:value', { value }, 't')
        assert.match(filled, /^\/a\/[^/?#]+\/z\?q=:value$/)
        assert.equal(decodeURIComponent(filled.slice(3, filled.indexOf('/z?'))), value)
      }),
    )
  })

  it('refuses missing and superfluous values', () => {
    assert.throws(() => fillTemplate('/users/:id', {}, '/users/:id'), {
      message: '"/users/:id" needs params.id',
    })
    assert.throws(() => fillTemplate('/users', { id: 1 }, '/users'), { message: /has no ":id"/ })
  })
})

describe('withQuery', () => {
  it('adds values of every form', () => {
    assert.equal(
      withQuery('/x', { a: 1, b: 'x y', c: [1, 2], d: null, e: undefined, f: false }),
      '/x?a=1&b=x+y&c=1&c=2&f=false',
    )
    assert.equal(withQuery('/x?y=1', new URLSearchParams({ z: '&' })), '/x?y=1&z=%26')
    assert.equal(withQuery('/x', '?raw=%20'), '/x?raw=%20')
    assert.equal(withQuery('/x', {}), '/x')
  })
})
