import assert from 'node:assert/strict'
import { createRandom } from '@loads-runner/testcase'
import fc from 'fast-check'
import { CapacitySearch } from '../../src/capacity/search.ts'
import type { Capacity, SearchOptions, SearchStep, StepOutcome } from '../../src/capacity/search.ts'

/** Searches against a target that answers like this; gives the answer and the steps that it took. */
function search(
  options: Partial<SearchOptions>,
  target: (load: number, step: SearchStep, number: number) => StepOutcome,
): { answer: Capacity; steps: SearchStep[] } {
  const all = { start: 10, least: 1, most: 1_000_000, tolerance: 0.05, whole: false, ...options }
  const pure = new CapacitySearch(all)
  const steps: SearchStep[] = []
  for (let step = pure.next; step !== null; step = pure.next) {
    assert.ok(step.target >= all.least && step.target <= all.most, `a step of ${step.target}`)
    assert.ok(step.coolDown === null || step.coolDown < step.target)
    if (all.whole) assert.ok(Number.isInteger(step.target))
    steps.push(step)
    pure.take(target(step.target, step, steps.length - 1))
    assert.ok(steps.length <= 100)
  }
  return { answer: pure.answer, steps }
}

const knee = (at: number) => (load: number) => (load <= at ? 'held' : 'failed') satisfies StepOutcome

describe('capacity/search', () => {
  const knees = fc.double({ min: 1.5, max: 500_000, noNaN: true })
  const starts = fc.integer({ min: 1, max: 10_000 })
  const tolerances = fc.constantFrom(0.01, 0.05, 0.2)

  it('finds a sharp knee to the tolerance, from below and from above', () => {
    fc.assert(
      fc.property(knees, starts, tolerances, (at, start, tolerance) => {
        const { answer, steps } = search({ start, tolerance }, knee(at))
        assert.equal(answer.limit, 'target')
        assert.ok(answer.confirmed)
        assert.ok(answer.target! <= at && answer.failsAt! > at)
        assert.ok(answer.failsAt! - answer.target! <= tolerance * answer.failsAt! + 1e-9)
        assert.equal(steps.at(-1)!.purpose, 'hold')
        assert.equal(steps.at(-1)!.target, answer.target)
        assert.ok(steps.length < 60, `${steps.length} steps`)
      }),
    )
  })

  it('finds the last user that holds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 100 }), (at, start) => {
        const { answer } = search({ start, most: 5000, whole: true, tolerance: 0.0001 }, knee(at))
        assert.deepEqual(answer, { target: at, failsAt: at + 1, limit: 'target', confirmed: true })
      }),
    )
  })

  it('is not misled by a single hiccup, wherever it comes', () => {
    fc.assert(
      fc.property(knees, starts, fc.nat(40), (at, start, hiccup) => {
        const plain = search({ start }, knee(at)).answer
        const shaken = search({ start }, (load, _, number) => (number === hiccup ? 'failed' : knee(at)(load)))
        // A hiccup in the second look at a step that failed anyway changes nothing either.
        assert.deepEqual(shaken.answer, plain)
      }),
    )
  })

  it('ends near the knee of a noisy target, whose steps fail more and more often around it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 100_000 }), fc.integer(), (at, seed) => {
        const random = createRandom(seed, '')
        const failsWith = (load: number) => 1 / (1 + Math.exp(-(load / at - 1) * 20))
        const { answer, steps } = search({}, (load) => (random.next() < failsWith(load) ? 'failed' : 'held'))
        assert.ok(steps.length < 100)
        if (answer.target === null) return
        assert.ok(failsWith(answer.target) < 0.9999, `${answer.target} of ${at}`)
        assert.ok(answer.failsAt === null || failsWith(answer.failsAt) > 0.0001)
      }),
      // What is unlikely is not impossible: always the same noise.
      { seed: 1 },
    )
  })

  it('stops at the highest load that is allowed, and holds it', () => {
    const { answer, steps } = search({ most: 500 }, () => 'held')
    assert.deepEqual(answer, { target: 500, failsAt: null, limit: 'most', confirmed: true })
    assert.deepEqual(
      steps.map(({ target }) => target),
      [10, 20, 40, 80, 160, 320, 500, 500],
    )
  })

  it('says that nothing holds when the lowest load fails twice', () => {
    const { answer, steps } = search({}, () => 'failed')
    assert.deepEqual(answer, { target: null, failsAt: 1, limit: 'target', confirmed: false })
    assert.deepEqual(
      steps.map(({ target, purpose }) => `${target} ${purpose}`),
      [
        '10 grow',
        '10 again',
        '5 narrow',
        '5 again',
        '2.5 narrow',
        '2.5 again',
        '1.25 narrow',
        '1.25 again',
        '1 narrow',
        '1 again',
      ],
    )
  })

  it('rests before each step that follows a failed one', () => {
    const { steps } = search({ start: 100 }, knee(250))
    for (const [index, step] of steps.entries()) {
      const before = steps[index - 1]
      const failed = before !== undefined && before.target > 250
      assert.equal(step.coolDown, failed ? Number((step.target / 4).toPrecision(4)) : null, `step ${index}`)
    }
  })

  it('calls the generator the limit where it was', () => {
    const { answer } = search({}, (load) => (load <= 700 ? 'held' : 'limited'))
    assert.equal(answer.limit, 'generator')
    assert.ok(answer.target! <= 700 && answer.target! > 650)
    // The target's own limit is below: that is the one.
    const both = search({}, (load) => (load <= 300 ? 'held' : load <= 700 ? 'failed' : 'limited')).answer
    assert.equal(both.limit, 'target')
    assert.ok(both.target! <= 300 && both.target! > 280)
  })

  it('goes up for more samples, and gives up where there are never enough', () => {
    const { answer } = search({}, (load) => (load < 100 ? 'unclear' : load <= 3000 ? 'held' : 'failed'))
    assert.ok(answer.confirmed && answer.target! > 2800)
    assert.deepEqual(search({ most: 90 }, () => 'unclear').answer, {
      target: null,
      failsAt: 90,
      limit: 'unclear',
      confirmed: false,
    })
    const between = search({}, (load) => (load < 100 ? 'unclear' : 'failed'))
    assert.equal(between.answer.target, null)
    assert.ok(between.steps.length < 50, `${between.steps.length} steps`)
  })

  it('looks lower when the answer does not hold at the end', () => {
    let holds = 0
    const { answer } = search({}, (load, { purpose, target }) => {
      if (purpose === 'hold' || (purpose === 'again' && target > 400 && target <= 500)) {
        holds++
        if (target > 400) return 'failed'
      }
      return knee(500)(load)
    })
    assert.ok(holds >= 3)
    assert.ok(answer.confirmed && answer.target! <= 400)
  })
})
