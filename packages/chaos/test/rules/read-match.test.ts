import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readMatch } from '../../src/rules/read-match.ts'

describe('a match', () => {
  it('is an object, or the same as a text', () => {
    const match = {
      verb: ['GET', 'HEAD'],
      path: '/users/*',
      client: '10.*',
      header: { accept: '*json*', te: 'a=b' },
    }
    assert.deepEqual(readMatch(match), match)
    assert.deepEqual(
      readMatch(' method=GET,HEAD  path=/users/* client=10.* header.accept=*json* header.te=a=b '),
      match,
    )
    assert.deepEqual(readMatch({ command: 'GET, SET' }), { verb: ['GET', 'SET'] })
    assert.deepEqual(readMatch('text=*'), { text: '*' })
  })

  it('is nothing else', () => {
    for (const value of [
      '',
      ' ',
      'GET',
      'path=',
      '=x',
      'nothing=1',
      'header=x',
      'path=/ GET',
      {},
      [],
      5,
      null,
      true,
    ])
      assert.equal(readMatch(value), undefined, JSON.stringify(value))
    for (const value of [
      { verb: [] },
      { verb: [1] },
      { path: 5 },
      { header: 'x' },
      { header: { a: 1 } },
      { paths: '/' },
    ])
      assert.equal(readMatch(value), undefined, JSON.stringify(value))
    fc.assert(
      fc.property(fc.anything(), (value) => {
        readMatch(value)
      }),
    )
  })
})
