import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ChaosError } from '../../src/errors.ts'
import { behaviorNames, faultsOf, parseBehaviors } from '../../src/rules/behaviors.ts'
import { Decider } from '../../src/rules/decider.ts'
import { parseRule } from '../../src/rules/parse-rule.ts'
import { tcp } from '../../src/protocols/tcp.ts'

describe('behaviors', () => {
  it('#22 are the names of Vaurien', () => {
    assert.deepEqual(behaviorNames, ['abort', 'blackout', 'delay', 'dummy', 'error', 'hang', 'transient'])
    for (const name of behaviorNames) {
      const requests = parseBehaviors(name)
      assert.equal(requests.length, name === 'dummy' ? 0 : 1)
      for (const request of requests) assert.equal(parseRule(request, tcp).toxicity, 1)
    }
  })

  it('share one draw, side by side, with their options', () => {
    const options: Record<string, object> = { delay: { sleep: '2s' } }
    assert.deepEqual(
      parseBehaviors(' 20:delay, 0.5:error ,50%:dummy,10:hang', (name) => ({ ...options[name] })),
      [
        {
          type: 'delay',
          name: 'delay',
          toxicity: 0.2,
          attributes: { sleep: '2s' },
          share: { draw: 'behaviors', from: 0, to: 0.2 },
        },
        {
          type: 'error',
          name: 'error',
          toxicity: 0.005,
          attributes: {},
          share: { draw: 'behaviors', from: 0.2, to: 0.205 },
        },
        {
          type: 'hang',
          name: 'hang',
          toxicity: 0.1,
          attributes: {},
          share: { draw: 'behaviors', from: 0.705, to: 0.805 },
        },
      ],
    )
  })

  it('say what is wrong with them', () => {
    const wrong = (text: string) => {
      let message = ''
      assert.throws(
        () => parseBehaviors(text),
        (error: unknown) => {
          assert.ok(error instanceof ChaosError)
          assert.equal(error.code, 'CHAOS_ATTRIBUTE')
          message = error.message
          return true
        },
      )
      return message
    }
    assert.equal(
      wrong('60:delay,50:error'),
      'behavior "60:delay,50:error": the percentages add up to 110, more than 100; write it as 20:delay,5:error',
    )
    assert.match(wrong('20:delay,20:delay'), /delay stands there twice/)
    assert.match(wrong(''), /a part is empty/)
    assert.match(wrong('20:delay,'), /a part is empty/)
    for (const text of [
      '-1:delay',
      '20',
      'delay,error',
      '1e2:delay',
      '20:',
      ':delay',
      'NaN:delay',
      '20;delay',
    ])
      assert.match(wrong(text), /no PERCENT:NAME/)
    assert.ok(wrong('x'.repeat(100_000)).length < 1000)
  })

  it('exclude each other in a unit, and hit as often as they say', () => {
    const rules = faultsOf({ behavior: '20:delay,30:hang,50:abort' }).map((each) => parseRule(each, tcp))
    const decider = new Decider(7, 'proxy')
    const counts = new Map<string, number>()
    const units = 10_000
    for (let connection = 1; connection <= units; connection++) {
      const unit = {
        connection,
        direction: 'upstream' as const,
        ordinal: 1,
        client: '127.0.0.1',
        request: null,
      }
      const hits = rules.filter((rule) => decider.decide(rule, unit) !== null)
      assert.equal(hits.length, 1)
      counts.set(hits[0]!.name, (counts.get(hits[0]!.name) ?? 0) + 1)
    }
    // 99.9 % of binomial counts lie within 3.29 standard deviations.
    for (const { name, toxicity } of rules) {
      const deviation = Math.sqrt(units * toxicity * (1 - toxicity))
      assert.ok(
        Math.abs(counts.get(name)! - units * toxicity) <= 3.29 * deviation,
        `${name}: ${counts.get(name)}`,
      )
    }
  })

  it('take any percentages that add up to 100 at most, and no others', () => {
    const percents = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(percents, (hundredths) => {
        const text = hundredths.map((each, at) => `${each / 100}:f${at}`).join(',')
        const sum = hundredths.reduce((total, each) => total + each, 0)
        if (sum > 10_000) return assert.throws(() => parseBehaviors(text), ChaosError)
        let at = 0
        for (const { share, toxicity } of parseBehaviors(text)) {
          assert.equal(share!.from, at)
          assert.ok(share!.to >= share!.from && share!.to <= 1)
          assert.ok(Math.abs(share!.to - share!.from - toxicity!) < 1e-9)
          at = share!.to
        }
      }),
    )
  })

  it('are garbage or not, but never anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d.:,a-z% -]{0,20}$/)), (text) => {
        try {
          parseBehaviors(text)
        } catch (error) {
          assert.ok(error instanceof ChaosError)
        }
      }),
    )
  })
})
