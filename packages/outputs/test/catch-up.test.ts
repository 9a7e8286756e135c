import assert from 'node:assert/strict'
import { RunView } from '@loads-runner/history'
import { Aggregate } from '@loads-runner/metrics'
import { caughtUp } from '../src/catch-up.ts'
import { fixtureRun } from '../src/testing.ts'

describe('caughtUp', () => {
  it('is what must be added to what was known to know all', () => {
    const events = fixtureRun()
    for (const known of [0, 5, 9, events.length]) {
      const before = new RunView()
      const after = new RunView()
      for (const [at, event] of events.entries()) {
        if (at < known) before.apply(event)
        after.apply(event)
      }
      const sum = new Aggregate()
      sum.apply(before.aggregate.toDelta())
      sum.apply(caughtUp(before.aggregate, after.aggregate))
      assert.deepEqual(sum.hits(), after.aggregate.hits())
      assert.deepEqual(
        sum.executions().map(({ totals }) => totals),
        after.aggregate.executions().map(({ totals }) => totals),
      )
      assert.deepEqual(sum.serviceTime().stats(), after.aggregate.serviceTime().stats())
      assert.deepEqual(sum.errorGroups(), after.aggregate.errorGroups())
      for (const kind of ['counter', 'gauge', 'timing', 'check'] as const)
        assert.deepEqual(
          sum.ofKind(kind).map(({ key, count, value }) => [key, count, value]),
          after.aggregate.ofKind(kind).map(({ key, count, value }) => [key, count, value]),
        )
    }
  })
})
