import assert from 'node:assert/strict'
import { Delta, emptySeriesDelta, seriesId } from '@loads-runner/metrics'
import { readSteadily } from '../src/steady-reading.ts'

describe('a reading of load threads that go on meanwhile', () => {
  /** One user, that makes executions whenever it is let to. */
  class Threads {
    made = 0
    cuts = 0
    #cut = 0
    #told = 0
    readonly sources = {
      ledger: () => ({ planned: 0, started: this.made, finished: this.made, interrupted: 0, dropped: 0 }),
      progress: (into: number[]) => {
        if (this.made > this.#told) into.push(0, this.made)
        this.#told = this.made
      },
      cut: () => {
        const delta = new Delta()
        const key = { kind: 'counter' as const, name: 'made', test: '', method: '', status: '', tags: {} }
        const series = { ...emptySeriesDelta(key, null), value: this.made - this.#cut }
        if (series.value > 0) delta.series.set(seriesId(key), series)
        this.#cut = this.made
        this.cuts++
        return delta
      },
    }
  }

  const figureOf = ({ series }: Delta) => [...series.values()].reduce((sum, { value }) => sum + value, 0)

  it('is done again until nothing has moved, so that all of it tells of the same executions', () => {
    const threads = new Threads()
    const { sources } = threads
    threads.made = 3
    const { cut } = sources
    // This thread was kept from its work for a while, between one reading and the next.
    sources.cut = () => {
      if (threads.cuts < 2) threads.made += 2
      return cut()
    }
    const { ledger, progress, delta } = readSteadily(sources)
    assert.equal(ledger.finished, 7)
    assert.deepEqual(progress.slice(-2), [0, 7])
    assert.equal(figureOf(delta), 7)
    assert.equal(threads.cuts, 3)
  })

  it('is done once where nothing moves, and ends where something always does', () => {
    const quiet = new Threads()
    quiet.made = 5
    assert.equal(figureOf(readSteadily(quiet.sources).delta), 5)
    assert.equal(quiet.cuts, 1)

    const busy = new Threads()
    const { cut } = busy.sources
    busy.sources.cut = () => {
      busy.made++
      return cut()
    }
    assert.equal(figureOf(readSteadily(busy.sources).delta), busy.made)
    assert.equal(busy.cuts, 5)
  })
})
