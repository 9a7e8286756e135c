import assert from 'node:assert/strict'
import fc from 'fast-check'
import { EventRing } from '../../src/events/event-ring.ts'
import type { ChaosEvent } from '../../src/events/event.ts'

describe('event ring', () => {
  it('keeps the last ones, oldest first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 70 }), (size, told) => {
        const ring = new EventRing(size)
        const events = Array.from({ length: told }, (_, at): ChaosEvent => ({
          type: 'opaque',
          at,
          proxy: 'p',
          connection: 1,
          reason: '',
        }))
        for (const event of events) ring.push(event)
        assert.deepEqual(ring.all(), events.slice(-size))
      }),
    )
  })
})
