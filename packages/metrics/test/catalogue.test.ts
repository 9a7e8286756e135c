import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Aggregate } from '../src/aggregate.ts'
import { Catalogue } from '../src/catalogue.ts'
import { Delta, emptySeriesDelta } from '../src/delta.ts'
import { overflowName, seriesId, type SeriesKey, type SeriesKind } from '../src/series.ts'
import { smallDeltas } from './arbitraries.ts'

function keyOf(name: string, kind: SeriesKind = 'http', test = 'T.a'): SeriesKey {
  return { kind, test, name, method: '', status: '', tags: {} }
}

function deltaOf(...keys: SeriesKey[]): Delta {
  const delta = new Delta()
  for (const key of keys) {
    delta.add({
      ...emptySeriesDelta(key, null),
      count: 1,
      sum: 10,
      min: 10,
      max: 10,
      buckets: new Map([[10, 1]]),
    })
  }
  return delta
}

const namesOf = (delta: Delta) => [...delta.series.values()].map(({ key, count }) => [key.name, count])

describe('Catalogue', () => {
  it('admits the first names of all agents and moves the rest', () => {
    const catalogue = new Catalogue(3)
    assert.deepEqual(namesOf(catalogue.admit(deltaOf(keyOf('/a'), keyOf('/b')))), [
      ['/a', 1],
      ['/b', 1],
    ])
    assert.ok(!catalogue.full)
    const admitted = catalogue.admit(deltaOf(keyOf('/c'), keyOf('/d'), keyOf('/e'), keyOf('/a')))
    assert.deepEqual(namesOf(admitted), [
      ['/c', 1],
      [overflowName, 2],
      ['/a', 1],
    ])
    assert.ok(catalogue.full && catalogue.overflowed)
    assert.deepEqual(catalogue.ids(), [keyOf('/a'), keyOf('/b'), keyOf('/c')].map(seriesId))
  })

  it('is full without overflow when names fit exactly', () => {
    const catalogue = new Catalogue(2)
    catalogue.admit(deltaOf(keyOf('/a'), keyOf('/b')))
    assert.ok(catalogue.full && !catalogue.overflowed)
  })

  it('gives a delta back as it is when nothing has to move', () => {
    const delta = deltaOf(keyOf('/a'))
    assert.equal(new Catalogue(1).admit(delta), delta)
  })

  it('keeps overflow series apart by kind and test, and counts none of them as a name', () => {
    const catalogue = new Catalogue(1)
    const overflow = keyOf(overflowName)
    catalogue.admit(deltaOf(overflow))
    assert.ok(catalogue.overflowed && !catalogue.full)
    const admitted = catalogue.admit(
      deltaOf(keyOf('/a'), keyOf('/b'), keyOf('c', 'counter'), keyOf('/b', 'http', 'T.b'), overflow),
    )
    assert.deepEqual(
      [...admitted.series.values()].map(({ key, count }) => [key.kind, key.test, key.name, count]),
      [
        ['http', 'T.a', '/a', 1],
        ['http', 'T.a', overflowName, 2],
        ['counter', 'T.a', overflowName, 1],
        ['http', 'T.b', overflowName, 1],
      ],
    )
  })

  it('takes a name (other) with tags or status for the overflow series', () => {
    const catalogue = new Catalogue(10)
    const tagged = Array.from({ length: 50 }, (_, user) => ({
      ...keyOf(overflowName),
      tags: { user: `${user}` },
    }))
    assert.deepEqual(namesOf(catalogue.admit(deltaOf(...tagged))), [[overflowName, 50]])
  })

  it('admits all series of the engine', () => {
    const catalogue = new Catalogue(1)
    const delta = new Delta()
    for (let index = 0; index < 100; index++) {
      delta.add(emptySeriesDelta(keyOf(`${index}`, 'execution'), null))
      delta.add(emptySeriesDelta(keyOf(`${index}`, 'internal'), null))
    }
    assert.equal(catalogue.admit(delta).series.size, 200)
    assert.ok(!catalogue.overflowed)
  })

  it('bounds groups of errors too', () => {
    const catalogue = new Catalogue(1, 10)
    const delta = new Delta()
    for (let index = 0; index < 100; index++) {
      const detail = { type: 'E', message: `${index}`, sample: '', firstSeen: index }
      delta.add({ ...emptySeriesDelta(keyOf(`E: ${index}`, 'error'), detail), count: 1 })
    }
    const admitted = catalogue.admit(delta)
    assert.equal(admitted.series.size, 11)
    const other = [...admitted.series.values()].find(({ key }) => key.name === overflowName)!
    assert.deepEqual([other.count, other.key.test, other.detail!.message], [90, '', '10'])
  })

  it('changes no sum of a kind and test', () => {
    const sums = (deltas: Delta[]) => {
      const totals = new Map<string, number[]>()
      for (const { series } of deltas) {
        for (const { key, count, failed, sum, bytesIn, bytesOut, value, buckets } of series.values()) {
          const id = key.kind === 'error' ? key.kind : `${key.kind} ${key.test}`
          const samples = [...(buckets?.values() ?? [])].reduce((all, each) => all + each, 0)
          const figures = [count, failed, sum, bytesIn, bytesOut, key.kind === 'gauge' ? 0 : value, samples]
          const before = totals.get(id) ?? figures.map(() => 0)
          totals.set(
            id,
            before.map((each, index) => each + figures[index]!),
          )
        }
      }
      return [...totals].sort(([one], [other]) => (one < other ? -1 : 1))
    }
    fc.assert(
      fc.property(fc.array(smallDeltas), fc.integer({ min: 1, max: 5 }), (deltas, maxSeries) => {
        const catalogue = new Catalogue(maxSeries, 2)
        const before = sums(deltas)
        const admitted = deltas.map((delta) => catalogue.admit(delta))
        assert.deepEqual(sums(admitted), before)
        assert.ok(catalogue.ids().length <= maxSeries)
        const totals = new Aggregate()
        for (const delta of admitted) totals.apply(delta)
        const names = ['http', 'websocket', 'counter', 'gauge', 'timing'] as const
        const admittedNames = names
          .flatMap((kind) => totals.ofKind(kind))
          .filter(({ key }) => key.name !== overflowName)
        assert.ok(admittedNames.length <= maxSeries)
      }),
    )
  })
})
