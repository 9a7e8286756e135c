import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DeltaDecoder } from '../src/delta-decoder.ts'
import { DeltaEncoder } from '../src/delta-encoder.ts'
import { Delta, emptySeriesDelta } from '../src/delta.ts'
import { MetricsError } from '../src/errors.ts'
import type { SeriesKey } from '../src/series.ts'
import { anyDeltas } from './arbitraries.ts'

const key: SeriesKey = {
  kind: 'http',
  test: 'T.a',
  name: 'GET /',
  method: 'GET',
  status: '200',
  tags: { a: 'b' },
}

function oneHit(name = 'GET /'): Delta {
  const delta = new Delta()
  delta.add({
    ...emptySeriesDelta({ ...key, name }, null),
    count: 1,
    sum: 7,
    min: 7,
    max: 7,
    buckets: new Map([[7, 1]]),
  })
  return delta
}

/** Bytes are a delta or refused by name; nothing else may come out. */
function decodeAnything(decoder: DeltaDecoder, bytes: Uint8Array): Delta | null {
  try {
    return decoder.decode(bytes)
  } catch (error) {
    assert.ok(error instanceof MetricsError, String(error))
    assert.equal(error.code, 'METRICS_BAD_DELTA')
    assert.ok(error.offset >= 0 && error.offset <= bytes.length)
    return null
  }
}

describe('DeltaDecoder', () => {
  it('takes or refuses random bytes, and never does anything else', () => {
    const anyBytes = fc.uint8Array({ maxLength: 200 })
    // Starts that get past the first checks, so that the later ones are reached too.
    const likely = fc.tuple(fc.constantFrom([1, 0], [1, 1, 0], [1, 1, 0, 0], [1, 0, 1]), anyBytes)
    fc.assert(
      fc.property(
        fc.oneof(
          anyBytes,
          likely.map(([start, rest]) => new Uint8Array([...start, ...rest])),
        ),
        (bytes) => {
          decodeAnything(new DeltaDecoder(), bytes)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('refuses every message that is cut off', () => {
    fc.assert(
      fc.property(anyDeltas, (delta) => {
        const bytes = new DeltaEncoder().encode(delta)
        for (let length = 0; length < bytes.length; length += 1 + (length >> 5)) {
          assert.throws(() => new DeltaDecoder().decode(bytes.subarray(0, length)), MetricsError)
        }
        assert.throws(() => new DeltaDecoder().decode(new Uint8Array([...bytes, 0])), MetricsError)
      }),
    )
  })

  it('survives flipped bits, and goes on as if the message had not come when it refused it', () => {
    fc.assert(
      fc.property(
        anyDeltas,
        anyDeltas,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (first, second, at, flip) => {
          const encoder = new DeltaEncoder()
          const decoder = new DeltaDecoder()
          decoder.decode(encoder.encode(first))
          const bytes = encoder.encode(second)
          const damaged = bytes.slice()
          damaged[at % damaged.length]! ^= flip
          if (decodeAnything(decoder, damaged) !== null) return
          assert.deepEqual(decoder.decode(bytes).series, second.series)
          const full = encoder.encodeFull(first)
          assert.deepEqual(decoder.decode(full).series, first.series)
        },
      ),
    )
  })

  it('forgets the definitions of a message that it refuses', () => {
    const decoder = new DeltaDecoder()
    const refused = new DeltaEncoder().encode(oneHit('GET /refused'))
    assert.throws(() => decoder.decode(refused.subarray(0, -1)), MetricsError)
    const taken = decoder.decode(new DeltaEncoder().encode(oneHit('GET /taken')))
    assert.deepEqual(taken.series, oneHit('GET /taken').series)
  })

  it('keeps the detail that it had when it refuses a new one', () => {
    const errorOf = (message: string) => {
      const delta = new Delta()
      const detail = { type: 'E', message, sample: '', firstSeen: 1 }
      delta.add({ ...emptySeriesDelta({ ...key, kind: 'error' }, detail), count: 1 })
      return delta
    }
    const encoder = new DeltaEncoder()
    const decoder = new DeltaDecoder()
    decoder.decode(encoder.encode(errorOf('old')))
    const same = encoder.encode(errorOf('old'))
    assert.throws(() => decoder.decode(encoder.encode(errorOf('new')).subarray(0, -1)), MetricsError)
    assert.deepEqual(decoder.decode(same).series, errorOf('old').series)
  })

  it('reads a part of a larger buffer', () => {
    const bytes = new DeltaEncoder().encode(oneHit())
    const larger = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')])
    const decoded = new DeltaDecoder().decode(larger.subarray(6, 6 + bytes.length))
    assert.deepEqual(decoded.series, oneHit().series)
  })

  it('refuses a stream that it joined too late', () => {
    const encoder = new DeltaEncoder()
    encoder.encode(oneHit())
    assert.throws(() => new DeltaDecoder().decode(encoder.encode(oneHit())), /not defined/)
    assert.throws(
      () => new DeltaDecoder().decode(encoder.encode(oneHit('GET /new'))),
      /definition is missing/,
    )
  })

  it('refuses a number that stands for another series', () => {
    const decoder = new DeltaDecoder()
    decoder.decode(new DeltaEncoder().encode(oneHit()))
    assert.throws(() => decoder.decode(new DeltaEncoder().encode(oneHit('GET /other'))), /defined twice/)
  })

  it('refuses the version after its own', () => {
    const bytes = new DeltaEncoder().encode(oneHit())
    bytes[0]!++
    assert.throws(() => new DeltaDecoder().decode(bytes), /version is unknown at byte 1/)
  })

  it('takes lengths that promise the impossible for garbage, without allocating', () => {
    const before = process.memoryUsage().heapUsed
    for (const bytes of [
      [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
      [1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
      [1, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f],
    ]) {
      assert.throws(() => new DeltaDecoder().decode(new Uint8Array(bytes)), /exceeds the message/)
    }
    assert.ok(process.memoryUsage().heapUsed - before < 16e6)
  })
})
