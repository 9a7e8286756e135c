import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Aggregate, Catalogue } from '@loads-runner/metrics'
import type { WindowMessage } from '@loads-runner/protocol'
import { specOf } from '@loads-runner/protocol/testing'
import { WindowStream, type TakenWindow } from '../src/window-intake.ts'
import { FakeSession } from './support/fake-session.ts'

/** Windows of 1, 2, 3 ... hits; each brings a name of its own. */
function sessionOf(count: number): FakeSession {
  const session = new FakeSession('r1', specOf(), { ranges: [{ first: 0, count: 1 }] })
  for (let number = 0; number < count; number++) {
    session.hit('GET /', number + 1)
    session.hit(`GET /${number}`, 1)
    session.cut(number === count - 1)
  }
  return session
}

/** The same as it would come over a link that is in order. */
function windows(count: number): WindowMessage[] {
  return sessionOf(count).windows.map(({ window }) => window)
}

function openStream(): { stream: WindowStream; complaints: string[] } {
  const complaints: string[] = []
  const stream = new WindowStream('a1', new Catalogue(1000), (reason) => complaints.push(reason))
  return { stream, complaints }
}

function hitsOf(taken: TakenWindow[]): number {
  const aggregate = new Aggregate()
  for (const { delta } of taken) aggregate.apply(delta)
  return aggregate.hits().count
}

describe('WindowStream', () => {
  it('gives every window once and in order, whatever order they come in and however often', () => {
    const numbers = [0, 1, 2, 3, 4, 5, 6, 7]
    const arrivals = fc.shuffledSubarray([...numbers, ...numbers], { minLength: 16, maxLength: 16 })
    fc.assert(
      fc.property(arrivals, fc.nat(16), (offered, relinkAt) => {
        const { stream, complaints } = openStream()
        const session = sessionOf(8)
        session.relink()
        const taken: TakenWindow[] = []
        let duplicates = 0
        for (const [index, number] of offered.entries()) {
          if (index === relinkAt) {
            session.relink()
            stream.relink()
          }
          const result = stream.offer(session.again(number), 0)
          if (result === 'duplicate') duplicates++
          else taken.push(...result)
        }
        assert.deepEqual(
          taken.map(({ window }) => window.number),
          [0, 1, 2, 3, 4, 5, 6, 7],
        )
        assert.equal(duplicates, 8)
        assert.equal(hitsOf(taken), 36 + 8)
        assert.equal(stream.received, 8)
        assert.equal(stream.ended, true)
        assert.deepEqual([stream.missing, complaints], [[], []])
      }),
    )
  })

  it('accounts for every window once a gap is given up: taken, or missing', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(9), { minLength: 1 }), (numbers) => {
        const session = sessionOf(10)
        session.relink()
        const { stream } = openStream()
        const taken: TakenWindow[] = []
        for (const number of numbers) {
          const result = stream.offer(session.again(number), 0)
          assert.notEqual(result, 'duplicate')
          taken.push(...(result as TakenWindow[]))
        }
        taken.push(...stream.giveUpGap())
        const order = taken.map(({ window }) => window.number)
        assert.deepEqual(
          order,
          [...order].sort((a, b) => a - b),
        )
        const last = Math.max(...numbers)
        const missing = stream.missing.reduce((sum, span) => sum + span.windows, 0)
        assert.equal(stream.received + missing, last + 1)
        assert.equal(stream.gapAgeMs(1e9), 0)
      }),
    )
  })

  it('counts a window whose definitions were lost with an earlier one as missing', () => {
    const [first, second, third] = windows(3) as [WindowMessage, WindowMessage, WindowMessage]
    const { stream, complaints } = openStream()
    stream.offer(first, 0)
    stream.offer(third, 5)
    assert.equal(stream.gapAgeMs(25), 20)
    const taken = stream.giveUpGap()
    assert.deepEqual(
      taken.map(({ readable }) => readable),
      [false],
    )
    assert.match(complaints.join(), /window 2 of a1 cannot be read/)
    assert.deepEqual(stream.missing, [{ fromMs: 1000, toMs: 3000, windows: 2 }])
    assert.equal(stream.ended, true)
    assert.equal(stream.offer(second, 30), 'duplicate')
  })

  it('holds no more than it has room for', () => {
    const all = windows(200)
    const { stream } = openStream()
    let taken = 0
    for (const window of all.slice(1)) taken += (stream.offer(window, 0) as TakenWindow[]).length
    assert.ok(taken >= 70, `${taken}`)
    assert.equal(stream.missing[0]!.fromMs, 0)
  })
})
