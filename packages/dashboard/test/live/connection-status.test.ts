import assert from 'node:assert/strict'
import { statusOf, type Freshness } from '../../page/live/connection-status.ts'

const fresh: Freshness = {
  connection: { kind: 'open' },
  ended: false,
  state: 'running',
  newsAt: 1_000_000,
  now: 1_000_500,
}
const of = (changes: Partial<Freshness>) => statusOf({ ...fresh, ...changes })

describe('connection status', () => {
  it('is live while figures come', () => {
    assert.equal(of({}).kind, 'live')
  })

  it('is stale when none come, and says how old the last are', () => {
    const status = of({ now: 1_012_000 })
    assert.equal(status.kind, 'stale')
    assert.match(status.text, /12 s ago/)
  })

  it('is not stale before load begins', () => {
    assert.equal(of({ state: 'preparing', now: 2_000_000 }).kind, 'waiting')
  })

  it('counts since when there is no answer, and how old the figures are', () => {
    const status = of({ connection: { kind: 'lost', since: 1_010_000 }, now: 1_017_000 })
    assert.equal(status.kind, 'lost')
    assert.match(status.text, /since 7 s/)
    assert.match(status.text, /figures 17 s ago/)
    assert.doesNotMatch(of({ connection: { kind: 'lost', since: 0 }, state: null }).text, /figures/)
  })

  it('says the same to those who hear it, however long it takes', () => {
    const said = [20_000, 30_000].map((later) => of({ now: 1_000_000 + later }).said)
    assert.equal(said[0], said[1])
  })

  it('is over when the run is, whatever the connection does', () => {
    assert.equal(of({ ended: true, connection: { kind: 'lost', since: 0 } }).kind, 'ended')
  })

  it('says why it is refused', () => {
    assert.equal(of({ connection: { kind: 'refused', message: 'no such run' } }).text, 'no such run')
  })
})
