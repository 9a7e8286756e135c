import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseStatsdPacket } from '../../src/external/statsd-packet.ts'

describe('statsd packet', () => {
  it('reads counters, timings and gauges, several to a packet', () => {
    const { metrics, malformed } = parseStatsdPacket('a.b:3|c\nlogin:12.5|ms\ntemp:-4|g\nload:7|g|#env:x')
    assert.equal(malformed, 0)
    assert.deepEqual(
      metrics.map(({ name, type, value, relative }) => ({ name, type, value, relative })),
      [
        { name: 'a.b', type: 'counter', value: 3, relative: false },
        { name: 'login', type: 'timing', value: 12.5, relative: false },
        { name: 'temp', type: 'gauge', value: -4, relative: true },
        { name: 'load', type: 'gauge', value: 7, relative: false },
      ],
    )
  })

  it('scales what was sampled', () => {
    const { metrics } = parseStatsdPacket('hits:1|c|@0.1\nms:5|ms|@0.5')
    assert.equal(metrics[0]!.value, 10)
    assert.equal(metrics[1]!.weight, 2)
  })

  it('counts what is not statsd and never throws', () => {
    assert.equal(parseStatsdPacket('nonsense\nx:1|s\nx:y|c\n:1|c').malformed, 4)
    fc.assert(fc.property(fc.string(), (packet) => void parseStatsdPacket(packet)))
  })
})
