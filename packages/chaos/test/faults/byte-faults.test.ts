import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ChaosError } from '../../src/errors.ts'
import { byteFaults } from '../../src/faults/byte-faults.ts'
import { findProtocol } from '../../src/protocols/registry.ts'
import { randomOf } from '../../src/random.ts'
import { changeRule } from '../../src/rules/parse-rule.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { ruleOf, StageAtWork } from '../support/fake-flow.ts'

const oddNumbers = [
  0,
  -0,
  1,
  -1,
  0.5,
  1.5,
  1e-300,
  1e300,
  2 ** 31,
  2 ** 53,
  Number.MAX_SAFE_INTEGER,
  NaN,
  Infinity,
  -Infinity,
]
const oddTexts = [
  '',
  ' ',
  '0',
  '-1',
  '1e3',
  '2s',
  '-2s',
  '1e400',
  'NaN',
  '50%',
  '500%',
  'fin',
  'rst',
  'proxy',
  'pareto',
  'x',
]

/** What somebody may write for an attribute, right or wrong. */
const written = fc.oneof(
  { weight: 6, arbitrary: fc.constant<unknown>(undefined) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 5000 }) },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(...oddNumbers) },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(...oddTexts) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(true, false, null, [], [1], {}, { a: 1 }) },
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
)

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ what: fc.constant('send' as const), size: fc.integer({ min: 1, max: 5000 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('wait' as const),
      ms: fc.double({ min: 0, max: 5000, noNaN: true }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('update' as const),
      attributes: fc.array(written, { minLength: 6, maxLength: 6 }),
    }),
  },
)

function attributesOf(names: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name, index) => [name, values[index % values.length]]))
}

/** The rule, or null where the attributes are refused as they should be. */
function ruleOrNull(make: () => Rule): Rule | null {
  try {
    return make()
  } catch (error) {
    assert.ok(error instanceof ChaosError, String(error))
    assert.equal(error.code, 'CHAOS_ATTRIBUTE')
    return null
  }
}

/** What arrives, given what was sent, once the fault has been taken away. */
type Outcome = 'all' | 'same length' | 'beginning' | 'nothing'

const outcomes: Readonly<Record<string, Outcome>> = {
  latency: 'all',
  bandwidth: 'all',
  slow_close: 'all',
  slicer: 'all',
  loss: 'all',
  noop: 'all',
  reset_peer: 'all',
  sever: 'all',
  limit_time: 'all',
  limit_data: 'beginning',
  corrupt: 'same length',
  timeout: 'nothing',
  blackhole: 'nothing',
}

function check(outcome: Outcome, sent: Buffer, { flow }: StageAtWork): void {
  const got = flow.bytes
  assert.ok(flow.held === 0 || flow.closed !== null, 'held bytes are given back')
  if (outcome === 'nothing') {
    assert.equal(got.length, 0)
    assert.equal(flow.endedAt, null)
    if (sent.length > 0) assert.notEqual(flow.closed, null)
    return
  }
  // A connection that was closed by the fault has got the beginning.
  if (outcome === 'beginning' || flow.closed !== null) {
    assert.ok(sent.subarray(0, got.length).equals(got))
    if (flow.closed === null) assert.equal(got.length, sent.length)
    return
  }
  assert.equal(got.length, sent.length)
  if (outcome === 'all') assert.ok(sent.equals(got))
  assert.notEqual(flow.endedAt, null, 'the end arrives')
}

describe('byteFaults', () => {
  for (const definition of byteFaults) {
    const names = Object.keys(definition.attributes as object)

    it(`#31 ${definition.type} refuses attributes, or works with them`, () => {
      let accepted = 0
      fc.assert(
        fc.property(fc.array(written, { minLength: 6, maxLength: 6 }), (values) => {
          const rule = ruleOrNull(() => ruleOf(definition.type, attributesOf(names, values)))
          if (rule === null) return
          accepted++
          // What is shown is read back as the same.
          const again = ruleOf(definition.type, rule.shown)
          assert.deepEqual(again.attributes, rule.attributes)
          const treatment = definition.connect?.({ random: randomOf('connect') }, rule.attributes)
          if (treatment?.delayMs !== undefined)
            assert.ok(treatment.delayMs >= 0 && treatment.delayMs < 2 ** 31, `${treatment.delayMs}`)
        }),
        { numRuns: 500 },
      )
      // Sixty at least are usual; that it is five or fewer has a chance below one in 10^15.
      assert.ok(accepted > 5, `${accepted} accepted`)
    })

    if (definition.stage === undefined) continue
    it(`#31 ${definition.type} makes of any traffic what it should, whatever its attributes`, () => {
      const outcome = outcomes[definition.type]!
      let worked = 0
      fc.assert(
        fc.property(
          fc.array(written, { minLength: 6, maxLength: 6 }),
          fc.array(step, { maxLength: 30 }),
          fc.double({ min: 0, max: 5, noNaN: true }),
          fc.integer(),
          (values, steps, late, seed) => {
            let rule = ruleOrNull(() => ruleOf(definition.type, attributesOf(names, values)))
            if (rule === null) return
            worked++
            const stage = new StageAtWork(rule, { late, random: randomOf(seed) })
            const sent: Buffer[] = []
            for (const each of steps) {
              if (each.what === 'send') {
                const bytes = Buffer.alloc(each.size, sent.length)
                sent.push(bytes)
                stage.send(bytes)
              } else if (each.what === 'wait') stage.advance(each.ms)
              else {
                const before: Rule = rule
                const attributes = attributesOf(names, each.attributes)
                rule = ruleOrNull(() => changeRule(before, { attributes }, findProtocol('tcp'))) ?? before
                if (rule !== before) stage.update(rule)
              }
            }
            stage.end()
            stage.advance(100)
            stage.remove()
            check(outcome, Buffer.concat(sent), stage)
            stage.advance(1e6)
            assert.equal(stage.flow.clock.timers, 0, 'timers are left')
          },
        ),
        { numRuns: 300 },
      )
      assert.ok(worked > 3, `${worked} worked`)
    })
  }
})
