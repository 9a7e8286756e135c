import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RowLeases } from '../src/row-leases.ts'

describe('row leases', () => {
  it('gives each row to one agent, and none when all are given out', () => {
    const leases = new RowLeases()
    assert.deepEqual(leases.lease('a1', 'users.csv', 10, 6), { first: 0, count: 6, complaint: null })
    assert.deepEqual(leases.lease('a2', 'users.csv', 10, 6), { first: 6, count: 4, complaint: null })
    assert.equal(leases.lease('a1', 'users.csv', 10, 1).count, 0)
    assert.deepEqual(leases.lease('a1', 'other.csv', 3, 2), { first: 0, count: 2, complaint: null })
    assert.equal(leases.lease('a1', 'empty.csv', 0, 2).count, 0)
  })

  it('gives out again what an agent did not use, and says what may have been used twice', () => {
    const leases = new RowLeases()
    leases.lease('a1', 'users.csv', 10, 4)
    leases.use('a1', 'users.csv', [0, 2])
    leases.giveBack('a1', true)
    // Rows 2 and 3 may have been used by a1 in a window that nobody has seen.
    assert.deepEqual(leases.lease('a2', 'users.csv', 10, 4), { first: 2, count: 4, complaint: null })
    leases.use('a2', 'users.csv', [2, 1, 5, 1])
    assert.deepEqual(leases.audit(), [
      { name: 'users.csv', rows: 10, used: 4, returned: 2, leftOver: 6, perhapsTwice: 1 },
    ])
    // It has ended in good order: what it returns now it has not used, but a1 may still have.
    leases.giveBack('a2', false)
    leases.lease('a3', 'users.csv', 10, 10)
    leases.use('a3', 'users.csv', [3, 2])
    assert.deepEqual(leases.audit(), [
      { name: 'users.csv', rows: 10, used: 6, returned: 4, leftOver: 4, perhapsTwice: 2 },
    ])
  })

  it('has no row for an agent whose file has another length, and says why', () => {
    const leases = new RowLeases()
    leases.lease('a1', 'users.csv', 1000, 4)
    const lease = leases.lease('a2', 'users.csv', 900, 4)
    assert.equal(lease.count, 0)
    assert.match(lease.complaint!, /^users\.csv has 900 rows on a2 and 1000 on a1: .*--include-file$/)
    assert.equal(leases.lease('a1', 'users.csv', 1000, 4).complaint, null)
  })

  it('does not keep books for any number of feeds', () => {
    const leases = new RowLeases()
    for (let feed = 0; feed < 1000; feed++) assert.equal(leases.lease('a1', `${feed}`, 1, 1).complaint, null)
    assert.match(leases.lease('a1', 'one more', 1, 1).complaint!, /1000 files at most/)
    assert.equal(leases.audit().length, 1000)
  })

  it('never gives a row that was used to anybody again, whatever agents ask, use, lose and claim', () => {
    const agent = fc.constantFrom('a1', 'a2', 'a3')
    const step = fc.oneof(
      fc.record({ do: fc.constant('lease' as const), agent, count: fc.integer({ min: 1, max: 7 }) }),
      fc.record({ do: fc.constant('use' as const), agent, first: fc.nat(45), count: fc.nat(6) }),
      fc.record({ do: fc.constant('giveBack' as const), agent, isDoubtful: fc.boolean() }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const leases = new RowLeases()
        const size = 40
        const holder = new Map<number, string>()
        const used = new Set<number>()
        for (const each of steps) {
          if (each.do === 'lease') {
            const { first, count } = leases.lease(each.agent, 'f', size, each.count)
            assert.ok(count <= each.count && first + count <= size)
            if (count === 0) assert.equal(holder.size + used.size, size, 'a free row was not given out')
            for (let row = first; row < first + count; row++) {
              assert.ok(!used.has(row) && !holder.has(row), `row ${row} was given out twice`)
              holder.set(row, each.agent)
            }
          } else if (each.do === 'use') {
            leases.use(each.agent, 'f', [each.first, each.count])
            for (let row = each.first; row < each.first + each.count; row++) {
              if (holder.get(row) !== each.agent) continue
              holder.delete(row)
              used.add(row)
            }
          } else {
            leases.giveBack(each.agent, each.isDoubtful)
            for (const [row, who] of holder) if (who === each.agent) holder.delete(row)
          }
          const [audit] = leases.audit()
          if (audit === undefined) continue
          assert.equal(audit.used, used.size)
          assert.equal(audit.leftOver, size - used.size)
          assert.ok(audit.perhapsTwice <= Math.min(audit.used, audit.returned))
        }
      }),
    )
  })
})
