import assert from 'node:assert/strict'
import type { FaultEvent } from '../../../src/events/event.ts'
import { Proxied } from '../../support/proxied.ts'

interface Flip {
  offset: number
  bit: number
}

function flipsOf(events: readonly FaultEvent[]): Flip[] {
  return events.map(({ detail }) => detail as unknown as Flip)
}

function flipped(bytes: Buffer, flips: readonly Flip[]): Buffer {
  const changed = Buffer.from(bytes)
  for (const { offset, bit } of flips) changed[offset]! ^= 1 << bit
  return changed
}

describe('corrupt through a proxy', () => {
  it('#34 tells each flip: who has the events knows which bits came wrong', async () => {
    const sent = Buffer.from(Array.from({ length: 20_000 }, (_, at) => at & 255))
    const runs: Flip[][] = []
    for (let run = 0; run < 2; run++) {
      await using proxied = await Proxied.echo([{ type: 'corrupt', attributes: { rate: 0.001, offset: 17 } }])
      const client = await proxied.connect()
      client.write(sent)
      const got = await client.until(sent.length)
      const flips = flipsOf(proxied.faults)
      assert.ok(flips.length >= 5 && flips.length < 100, `${flips.length} flips`)
      assert.ok(flips.some(({ offset }) => offset === 17))
      assert.ok(got.equals(flipped(sent, flips)))
      assert.ok(proxied.faults.every(({ rule }) => rule === 'corrupt_downstream'))
      runs.push(flips)
    }
    assert.deepEqual(runs[0], runs[1])
  })

  it('tells of 100 flips of a direction of a connection at most', async () => {
    await using proxied = await Proxied.echo([{ type: 'corrupt', attributes: { rate: 1 } }])
    for (let connection = 1; connection <= 2; connection++) {
      const client = await proxied.connect()
      client.write(Buffer.alloc(5000))
      const got = await client.until(5000)
      assert.ok(got.every((byte) => byte !== 0))
      const flips = flipsOf(proxied.faults.filter((event) => event.connection === connection))
      assert.deepEqual(
        flips.map(({ offset }) => offset),
        Array.from({ length: 100 }, (_, at) => at),
      )
    }
  })
})
