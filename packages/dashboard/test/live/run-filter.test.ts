import assert from 'node:assert/strict'
import fc from 'fast-check'
import { matches, parseSearch } from '../../page/live/run-filter.ts'
import type { RunListRow } from '../../src/model.ts'

const row: RunListRow = {
  runId: '2026-11-21--3',
  names: ['shop.TestCheckout.test_buy', 'path/to/file.ts::TestX'],
  project: 'Shop',
  user: 'ada@example',
  labels: { commit: 'ab12f9', branch: 'main line' },
  state: 'done',
  verdict: 'generator-limited',
  submittedAt: 0,
  startedAt: 0,
  endedAt: 1,
  agents: 1,
  hits: 1,
  p95: 1,
  errorRate: 0,
}
const finds = (search: string) => matches(row, parseSearch(search))

describe('search of runs', () => {
  it('finds any text in names, project, user, labels, state and verdict, in any case', () => {
    for (const search of [
      '',
      '  ',
      'test_buy',
      'SHOP',
      'ada@',
      'commit=ab12',
      '11-21',
      'limited',
      'checkout shop',
    ])
      assert.ok(finds(search), search)
    assert.ok(!finds('checkout nobody'))
  })

  it('looks into the field that is named', () => {
    for (const search of [
      'project:shop',
      'user:ADA',
      'label:commit',
      'label:commit=ab',
      'verdict:generator',
      'state:done',
    ])
      assert.ok(finds(search), search)
    for (const search of [
      'project:ada',
      'user:shop',
      'label:commit=b12',
      'label:comm=ab',
      'verdict:limited',
      'state:running',
    ])
      assert.ok(!finds(search), search)
  })

  it('takes quoted words together', () => {
    assert.ok(finds('label:branch="main line"'))
    assert.ok(finds('"main line"'))
    assert.ok(!finds('"line main"'))
  })

  it('takes colons that name no field as text', () => {
    assert.ok(finds('file.ts::TestX'))
    assert.deepEqual(parseSearch('foo:bar'), [{ field: 'any', text: 'foo:bar' }])
  })

  it('waits while a field has no text yet', () => {
    assert.ok(finds('project:'))
    assert.ok(finds('shop verdict:'))
  })

  it('takes any text', () => {
    fc.assert(fc.property(fc.string(), (search) => void finds(search)))
  })
})
