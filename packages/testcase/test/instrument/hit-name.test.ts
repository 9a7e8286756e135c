import assert from 'node:assert/strict'
import { hitName, statementName } from '../../src/instrument/hit-name.ts'

describe('hitName', () => {
  it('folds what looks like an id, and nothing else', () => {
    const cases: [path: string, name: string][] = [
      ['/', '/'],
      ['/users/12/posts/7?page=3', '/users/:id/posts/:id'],
      ['/v1/items/6fa459ea-ee8a-3ca4-894e-db77e160355e#top', '/v1/items/:id'],
      ['/blobs/DEADBEEFdeadbeef', '/blobs/:id'],
      ['/blobs/deadbeef', '/blobs/deadbeef'],
      ['/v2/2024-01-01', '/v2/2024-01-01'],
    ]
    for (const [path, name] of cases) assert.equal(hitName('http://a.test', path, 'http://a.test'), name)
  })

  it('puts the origin in front where it is not the own one', () => {
    assert.equal(hitName('http://b.test:81', '/x/1', 'http://a.test'), 'http://b.test:81/x/:id')
    assert.equal(hitName('http://b.test', '/x', null), 'http://b.test/x')
  })
})

describe('statementName', () => {
  it('takes values out of statements', () => {
    assert.equal(
      statementName("INSERT INTO t1 (a, b)\n  VALUES (1, 'two', 3.5)"),
      'INSERT INTO t1 (a, b) VALUES (?)',
    )
    assert.equal(statementName("select 'a' || 'it''s'"), 'select ? || ?')
  })

  it('is bounded, also for huge statements', () => {
    assert.equal(statementName(`select ${'x, '.repeat(100_000)}`).length, 120)
  })
})
