import assert from 'node:assert/strict'
import fc from 'fast-check'
import { createRandom } from '../src/random.ts'

const seeds = fc.integer({ min: 0, max: 2 ** 48 - 1 })
const ids = fc.string({ minLength: 1, maxLength: 20 })

describe('createRandom', () => {
  it('gives the same choices for the same seed and execution', () => {
    fc.assert(
      fc.property(seeds, ids, (seed, id) => {
        const [one, two] = [createRandom(seed, id), createRandom(seed, id)]
        for (let draw = 0; draw < 20; draw++) assert.equal(one.next(), two.next())
        assert.deepEqual(one.bytes(9), two.bytes(9))
      }),
    )
  })

  it('gives each execution choices of its own', () => {
    const firsts = new Set<number>()
    for (let user = 0; user < 100; user++) {
      for (let iteration = 0; iteration < 100; iteration++)
        firsts.add(createRandom(7, `0/${user}/${iteration}`).next())
    }
    assert.equal(firsts.size, 10_000)
  })

  it('does not change between versions', () => {
    const random = createRandom(42, '0/1/2')
    assert.equal(random.integer(0, 999_999), 645_905)
    assert.equal(random.integer(0, 999_999), 987_527)
    assert.equal(random.bytes(4).toString('hex'), '5136ffea')
  })

  it('draws next() from [0, 1) without a lean', () => {
    const random = createRandom(1, 'lean')
    const tenths = Array.from({ length: 10 }, () => 0)
    for (let draw = 0; draw < 100_000; draw++) {
      const value = random.next()
      assert.ok(value >= 0 && value < 1)
      tenths[Math.floor(value * 10)]!++
    }
    for (const count of tenths) assert.ok(Math.abs(count - 10_000) < 500, tenths.join(' '))
  })

  it('keeps integers within their bounds and reaches both', () => {
    fc.assert(
      fc.property(seeds, fc.integer(), fc.nat(50), (seed, min, span) => {
        const random = createRandom(seed, 'x')
        for (let draw = 0; draw < 20; draw++) {
          const value = random.integer(min, min + span)
          assert.ok(Number.isInteger(value) && value >= min && value <= min + span)
        }
      }),
    )
    const random = createRandom(3, 'dice')
    const seen = new Set(Array.from({ length: 500 }, () => random.integer(1, 6)))
    assert.deepEqual(
      [...seen].toSorted((a, b) => a - b),
      [1, 2, 3, 4, 5, 6],
    )
  })

  it('draws wide integers too', () => {
    const random = createRandom(3, 'wide')
    for (let draw = 0; draw < 1000; draw++) {
      const value = random.integer(0, 2 ** 53 - 2)
      assert.ok(Number.isSafeInteger(value) && value >= 0)
    }
  })

  it('refuses bounds that make no sense', () => {
    const random = createRandom(1, 'x')
    assert.throws(() => random.integer(2, 1), { code: 'TESTCASE_USAGE' })
    assert.throws(() => random.integer(0.5, 1), { code: 'TESTCASE_USAGE' })
    assert.throws(() => random.pick([]), { code: 'TESTCASE_USAGE' })
  })

  it('shuffles into a permutation and leaves the list alone', () => {
    fc.assert(
      fc.property(seeds, fc.array(fc.integer()), (seed, items) => {
        const before = [...items]
        const shuffled = createRandom(seed, 's').shuffle(items)
        assert.deepEqual(items, before)
        assert.deepEqual(
          shuffled.toSorted((a, b) => a - b),
          items.toSorted((a, b) => a - b),
        )
      }),
    )
  })

  it('reaches every order of three', () => {
    const random = createRandom(5, 'orders')
    const counts = new Map<string, number>()
    for (let draw = 0; draw < 6000; draw++) {
      const order = random.shuffle(['a', 'b', 'c']).join('')
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    assert.equal(counts.size, 6)
    for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 200)
  })

  it('picks only what is there, and chance() follows its probability', () => {
    fc.assert(
      fc.property(seeds, fc.array(fc.integer(), { minLength: 1 }), (seed, items) => {
        assert.ok(items.includes(createRandom(seed, 'p').pick(items)))
      }),
    )
    const random = createRandom(9, 'chance')
    let hits = 0
    for (let draw = 0; draw < 10_000; draw++) if (random.chance(0.3)) hits++
    assert.ok(Math.abs(hits - 3000) < 250, `${hits}`)
    assert.equal(random.chance(0), false)
    assert.equal(random.chance(1), true)
  })

  it('draws gaussian numbers with the mean and deviation asked for', () => {
    const random = createRandom(11, 'bell')
    const draws = Array.from({ length: 20_000 }, () => random.gaussian(100, 15))
    const mean = draws.reduce((sum, each) => sum + each, 0) / draws.length
    const variance = draws.reduce((sum, each) => sum + (each - mean) ** 2, 0) / draws.length
    assert.ok(Math.abs(mean - 100) < 0.5, `${mean}`)
    assert.ok(Math.abs(Math.sqrt(variance) - 15) < 0.5, `${variance}`)
  })
})
