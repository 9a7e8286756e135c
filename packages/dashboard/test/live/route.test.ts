import assert from 'node:assert/strict'
import fc from 'fast-check'
import { hrefOf, parseRoute, type Route } from '../../page/live/route.ts'
import { takeToken } from '../../page/live/token-store.ts'

describe('route', () => {
  it('comes back from its address, whatever a run is called', () => {
    const name = fc.string({ unit: 'binary', minLength: 1 })
    const route: fc.Arbitrary<Route> = fc.oneof(
      fc.constant({ page: 'start' } as const),
      fc.record({ page: fc.constant('runs' as const), search: name }),
      fc.record({ page: fc.constant('run' as const), runId: name }),
      fc.record({ page: fc.constant('compare' as const), before: name, after: name }),
    )
    fc.assert(fc.property(route, (each) => assert.deepEqual(parseRoute(hrefOf(each)), { ...each })))
  })

  it('is the start for addresses that say nothing', () => {
    for (const hash of ['', '#', '#/', '#/nowhere', '#/runs/a/b', '#/runs/%E0%A4%A', '#/compare?before=1'])
      assert.deepEqual(parseRoute(hash), { page: 'start' }, hash)
  })
})

describe('takeToken', () => {
  it('takes the token out of the address and leaves the rest', () => {
    assert.deepEqual(takeToken('#token=abc'), { token: 'abc', rest: '' })
    assert.deepEqual(takeToken('#token=a%2Bb&x=1'), { token: 'a+b', rest: '#x=1' })
    assert.deepEqual(takeToken('#/runs/7?token=abc'), { token: 'abc', rest: '#/runs/7' })
    assert.deepEqual(takeToken('#/runs?search=x&token=abc'), { token: 'abc', rest: '#/runs?search=x' })
    assert.deepEqual(takeToken('#/runs?token=abc&search=x'), { token: 'abc', rest: '#/runs?search=x' })
  })

  it('leaves addresses without one alone, and takes an empty one away', () => {
    assert.deepEqual(takeToken('#/runs?search=mytoken=1'), { token: null, rest: '#/runs?search=mytoken=1' })
    assert.deepEqual(takeToken('#token='), { token: null, rest: '' })
  })
})
