import assert from 'node:assert/strict'
import { RowRequests, type GrantedRows, type RowRequest } from '../src/row-requests.ts'

const a: RowRequest = { feed: 'a', size: 100, count: 10 }
const b: RowRequest = { feed: 'b', size: 20, count: 2 }
const rowsOf = ({ feed }: RowRequest, first: number, count: number): GrantedRows => ({ feed, first, count })

describe('row requests', () => {
  let asked: RowRequest[] = []
  let given: GrantedRows[] = []
  let requests: RowRequests
  beforeEach(() => {
    asked = []
    given = []
    requests = new RowRequests(
      (request) => asked.push(request),
      (rows) => given.push(rows),
    )
  })

  it('pass on what is asked for and what is answered', () => {
    requests.take(a)
    requests.take(b)
    assert.deepEqual(asked, [a, b])
    requests.answer(rowsOf(b, 0, 2))
    requests.answer(rowsOf(a, 0, 0))
    assert.deepEqual(given, [rowsOf(b, 0, 2), rowsOf(a, 0, 0)])
  })

  it('are said again over a new link while they have no answer', () => {
    requests.take(a)
    requests.take(b)
    requests.answer(rowsOf(a, 0, 10))
    requests.repeat()
    assert.deepEqual(asked, [a, b, b])
    requests.answer(rowsOf(b, 0, 2))
    requests.repeat()
    assert.equal(asked.length, 3)
  })

  it('waste no rows where both answers to a request come: the second answers the next', () => {
    requests.take(a)
    requests.repeat()
    requests.answer(rowsOf(a, 0, 10))
    requests.answer(rowsOf(a, 10, 10))
    assert.deepEqual(given, [rowsOf(a, 0, 10)])
    requests.take(a)
    assert.deepEqual(given, [rowsOf(a, 0, 10), rowsOf(a, 10, 10)])
    assert.equal(asked.length, 2)
    requests.take(a)
    assert.equal(asked.length, 3)
    // That none is left answers nothing that was not asked.
    requests.answer(rowsOf(a, 0, 0))
    requests.answer(rowsOf(a, 0, 0))
    requests.take(a)
    assert.equal(asked.length, 4)
    assert.equal(given.length, 3)
  })
})
