import assert from 'node:assert/strict'
import { checkedRecord, DefaultHeaders, mergeHeaders } from '../../../src/sessions/http/header-list.ts'

describe('DefaultHeaders', () => {
  it('notices every kind of change', () => {
    const headers = new DefaultHeaders({ accept: '*/*' })
    assert.deepEqual(headers.list, ['accept', '*/*'])
    assert.equal(headers.list, headers.list)
    headers.record['x-key'] = '1'
    assert.deepEqual(headers.list, ['accept', '*/*', 'x-key', '1'])
    delete headers.record['accept']
    assert.deepEqual(headers.list, ['x-key', '1'])
    Object.assign(headers.record, { 'X-Key': '2' })
    assert.deepEqual(headers.list, ['X-Key', '2'])
    assert.ok(headers.version >= 3)
  })
})

describe('mergeHeaders', () => {
  it('sets over names whatever their case, repeats lists, and takes away with null', () => {
    const list = ['Accept', '*/*', 'x-a', '1', 'X-A', '2']
    assert.deepEqual(mergeHeaders(list, { accept: 'text/html', 'x-a': ['3', '4'] }), [
      'accept',
      'text/html',
      'x-a',
      '3',
      'x-a',
      '4',
    ])
    assert.deepEqual(mergeHeaders(list, { ACCEPT: null, 'x-a': undefined, n: 5 }), ['n', '5'])
    assert.equal(list.length, 6)
  })
})

describe('checkedRecord', () => {
  it('takes objects and Headers, and nothing else', () => {
    assert.deepEqual(checkedRecord(new Headers({ A: 'b' })), { a: 'b' })
    assert.deepEqual(checkedRecord({ A: 'b' }), { A: 'b' })
    for (const wrong of ['a: b', ['a', 'b'], null, 1])
      assert.throws(() => checkedRecord(wrong), { name: 'UsageError' })
  })
})
