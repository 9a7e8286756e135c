import assert from 'node:assert/strict'
import fc from 'fast-check'
import { place, type Candidate } from '../src/placement.ts'

function agents(host: string, count: number, busy = 0): Candidate[] {
  return Array.from({ length: count }, (_, index) => ({ id: `${host}-${index}`, host, slots: 1, busy }))
}

describe('place', () => {
  it('spreads agents over hosts in turns: 20 over two hosts are 10 and 10', () => {
    const chosen = place([...agents('one', 30), ...agents('two', 12)], 20)!
    assert.equal(chosen.filter((id) => id.startsWith('one-')).length, 10)
    assert.equal(chosen.filter((id) => id.startsWith('two-')).length, 10)
  })

  it('takes more of one host where the others have no more', () => {
    const chosen = place([...agents('one', 5), ...agents('two', 1)], 4)!
    assert.deepEqual(chosen, ['one-0', 'two-0', 'one-1', 'one-2'])
  })

  it('prefers the host that has less to do', () => {
    const busyHost = [...agents('one', 2), { id: 'one-x', host: 'one', slots: 2, busy: 2 }]
    assert.deepEqual(place([...busyHost, ...agents('two', 1)], 1), ['two-0'])
  })

  it('is null when too few have a free slot', () => {
    assert.equal(place([...agents('one', 2), ...agents('two', 3, 1)], 3), null)
  })

  it('gives different agents with free slots, as even over hosts as their numbers allow, in any order of candidates', () => {
    const candidate = fc.record({
      id: fc.nat(1000).map((id) => `a${id}`),
      host: fc.constantFrom('x', 'y', 'z'),
      slots: fc.integer({ min: 1, max: 3 }),
      busy: fc.nat(3),
    })
    const candidates = fc.uniqueArray(candidate, { selector: ({ id }) => id, maxLength: 30 })
    fc.assert(
      fc.property(candidates, fc.integer({ min: 1, max: 12 }), (all, count) => {
        const free = all.filter(({ busy, slots }) => busy < slots)
        const chosen = place(all, count)
        assert.deepEqual(place([...all].reverse(), count), chosen)
        if (free.length < count) return assert.equal(chosen, null)
        assert.equal(new Set(chosen).size, count)
        const taken = { x: 0, y: 0, z: 0 } as Record<string, number>
        for (const id of chosen!) taken[free.find((each) => each.id === id)!.host]!++
        for (const [host, number] of Object.entries(taken)) {
          const most = Math.max(...Object.values(taken))
          const available = free.filter((each) => each.host === host).length
          assert.ok(
            number >= Math.min(available, most - 1),
            `${host} has ${number} of ${available}, another ${most}`,
          )
        }
      }),
    )
  })
})
