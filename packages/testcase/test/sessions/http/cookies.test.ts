import assert from 'node:assert/strict'
import { Cookies } from '../../../src/sessions/http/cookies.ts'

const root = 'http://localhost:8080'

function jar(): Cookies {
  return new Cookies((url) => new URL(url, root).href)
}

describe('Cookies', () => {
  it('is empty until the first cookie', () => {
    const cookies = jar()
    assert.ok(cookies.isEmpty)
    assert.equal(cookies.header(`${root}/`), '')
    assert.deepEqual(cookies.all(), {})
    cookies.store('sid=1', `${root}/`)
    assert.equal(cookies.isEmpty, false)
    assert.equal(cookies.header(`${root}/`), 'sid=1')
  })

  it('follows paths, hosts and changes', () => {
    const cookies = jar()
    cookies.store('a=1; Path=/app', `${root}/app/login`)
    cookies.store('b=2', `${root}/`)
    assert.equal(cookies.header(`${root}/app/x`), 'a=1; b=2')
    assert.equal(cookies.header(`${root}/`), 'b=2')
    assert.equal(cookies.header('http://elsewhere/'), '')
    cookies.store('b=3', `${root}/`)
    assert.equal(cookies.header(`${root}/`), 'b=3')
    cookies.store('b=; Max-Age=0', `${root}/`)
    assert.equal(cookies.header(`${root}/`), '')
  })

  it('forgets a cookie when its time is over, though its header was asked for before', () => {
    const cookies = jar()
    const realNow = Date.now
    const startedAt = realNow()
    try {
      Date.now = () => startedAt
      cookies.store('short=1; Max-Age=10', `${root}/`)
      cookies.store('long=1; Max-Age=1000', `${root}/`)
      assert.equal(cookies.header(`${root}/`), 'short=1; long=1')
      Date.now = () => startedAt + 11_000
      assert.equal(cookies.header(`${root}/`), 'long=1')
    } finally {
      Date.now = realNow
    }
  })

  it('is read and written by tests', () => {
    const cookies = jar()
    cookies.set('theme', 'dark')
    cookies.set('other', 'x', { url: 'http://elsewhere/', path: '/deep', maxAge: 100 })
    assert.equal(cookies.get('theme'), 'dark')
    assert.deepEqual(cookies.all('/any/path'), { theme: 'dark' })
    assert.deepEqual(cookies.all('http://elsewhere/deep'), { other: 'x' })
    cookies.clear()
    assert.ok(cookies.isEmpty)
  })

  it('leaves out what is no cookie or not allowed', () => {
    const cookies = jar()
    cookies.store('', `${root}/`)
    cookies.store('x=1; Domain=evil.example', `${root}/`)
    assert.equal(cookies.header(`${root}/`), '')
  })
})
