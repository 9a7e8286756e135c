import assert from 'node:assert/strict'
import { defaultTarget } from '@loads-runner/testcase'
import type { LoadModel, LoadProfile, Pause, Scenario } from '@loads-runner/testcase/load'
import type { InferOutput } from 'valibot'
import { codec } from '../../src/codec.ts'
import { brokerToAgentSchema } from '../../src/messages/broker-to-agent.ts'
import { operatorToBrokerSchema } from '../../src/messages/operator.ts'
import {
  loadModelSchema,
  loadProfileSchema,
  redacted,
  runSpecSchema,
  scenarioSchema,
} from '../../src/messages/run-spec.ts'
import type { RunSpec } from '../../src/messages/run-spec.ts'
import { hitsPerUser, profileOf, scenarioOf, specOf } from '../../src/testing.ts'

const spec = specOf({
  target: { ...defaultTarget, cert: 'certificate', key: 'private key' },
  params: { size: '3' },
  env: { LANG: 'C' },
  secrets: { TOKEN: 'hush', EMPTY: '' },
  thresholds: [{ expression: 'http_req_duration: p(95)<200', abortOnFail: true, delayAbortMs: 5_000 }],
  replay: { scenario: 'main', unit: 3, iteration: 1 },
})

const steps = [{ durationMs: 10_000, target: 5 }]
const open = { spacing: 'poisson', users: 50, maxLateMs: 30_000 } as const

/** One of each load model, with fractions where they are allowed. */
const models: LoadModel[] = [
  { type: 'constant-users', users: 4, durationMs: 1_500.5, rampUpMs: 100 },
  hitsPerUser(4, 5),
  { type: 'shared-hits', users: 3, hits: 10, rampUpMs: 0, maxDurationMs: 60_000 },
  { type: 'ramping-users', startUsers: 0, steps },
  { type: 'constant-rate', rate: 0.25, durationMs: 60_000, ...open },
  { type: 'ramping-rate', startRate: 1.5, steps, ...open },
  { type: 'externally-controlled', controls: 'rate', start: 2.5, durationMs: null, ...open },
]

const pauses: Pause[] = [
  { type: 'none' },
  { type: 'constant', ms: 10 },
  { type: 'uniform', fromMs: 1, toMs: 5 },
  { type: 'exponential', meanMs: 2.5 },
  { type: 'pacing', ms: 1_000 },
]

/** True when a value of each type can stand where the other is asked for. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

describe('run spec', () => {
  it('comes through the wire as it is, inside the messages that carry it', () => {
    const submit = { type: 'submit', requestId: 1, spec } as const
    assert.deepEqual(codec.validate(operatorToBrokerSchema, codec.decode(codec.encode(submit))), submit)
    const prepare = {
      type: 'prepare',
      runId: 'r',
      spec,
      share: { ranges: [{ first: 0, count: 4 }] },
    } as const
    assert.deepEqual(codec.validate(brokerToAgentSchema, codec.decode(codec.encode(prepare))), prepare)
  })

  it('does not leave out a field: each missing one is refused by name', () => {
    for (const field of Object.keys(spec)) {
      const { [field as keyof RunSpec]: _, ...rest } = spec
      assert.throws(() => codec.validate(runSpecSchema, rest), new RegExp(`^ProtocolError: ${field}: `))
    }
  })

  it('redacted, has the names of secrets and no value of them, and is still a spec', () => {
    const shown = redacted(spec)
    assert.deepEqual(shown.secrets, { TOKEN: '[redacted]', EMPTY: '[redacted]' })
    assert.equal(shown.target.key, '[redacted]')
    assert.equal(redacted({ ...spec, target: { ...spec.target, key: null } }).target.key, null)
    assert.deepEqual(codec.validate(runSpecSchema, shown), shown)
    assert.ok(!JSON.stringify(shown).includes('hush'))
    assert.ok(!JSON.stringify(shown).includes('private key'))
    assert.equal(spec.secrets['TOKEN'], 'hush')
  })

  it('redacted, has no password of an output', () => {
    const outputs: [string, string][] = [
      ['influx:http://loads:hush@db:8086/loads', 'influx:http://[redacted]@db:8086/loads'],
      ['influx:http://loads:hu@sh:x@db:8086/a@b', 'influx:http://[redacted]@db:8086/a@b'],
      ['influx:https://hush@db/loads', 'influx:https://[redacted]@db/loads'],
      ['otlp:http://db/v1?api_key=hush&x=1', 'otlp:http://db/v1?api_key=[redacted]&x=1'],
      [
        'influx:http://db/write?u=ann&p=hush&token=hush#top',
        'influx:http://db/write?u=ann&p=[redacted]&token=[redacted]#top',
      ],
      ['statsd:db:8125?prefix=loads&tags=datadog', 'statsd:db:8125?prefix=loads&tags=datadog'],
      ['webhook:http://hook/a@b', 'webhook:http://hook/a@b'],
      ['./my-output.js:a@b', './my-output.js:a@b'],
    ]
    const shown = redacted({ ...spec, outputs: outputs.map(([output]) => output) })
    assert.deepEqual(
      shown.outputs,
      outputs.map(([, redactedOutput]) => redactedOutput),
    )
    assert.deepEqual(redacted(shown), shown)
  })

  it('speaks of load in the types of the package testcase', () => {
    const same: [
      Same<InferOutput<typeof loadProfileSchema>, LoadProfile>,
      Same<InferOutput<typeof loadModelSchema>, LoadModel>,
      Same<InferOutput<typeof scenarioSchema>, Scenario>,
    ] = [true, true, true]
    assert.equal(codec.validate(loadProfileSchema, specOf().profile).scenarios.length, same.indexOf(true) + 1)
  })

  for (const model of models) {
    it(`carries ${model.type} over the wire, and misses each of its fields by name`, () => {
      assert.deepEqual(codec.validate(loadModelSchema, codec.decode(codec.encode(model))), model)
      for (const field of Object.keys(model)) {
        const rest = Object.fromEntries(Object.entries(model).filter(([name]) => name !== field))
        assert.throws(() => codec.validate(loadModelSchema, rest), new RegExp(`^ProtocolError: ${field}: `))
      }
    })
  }

  it('carries every pause, tags and params of a scenario', () => {
    for (const pause of pauses) {
      const scenario = scenarioOf({
        pause,
        stages: models,
        startMs: 2_500,
        tags: { a: 'b' },
        params: { c: 'd' },
      })
      assert.deepEqual(codec.validate(scenarioSchema, codec.decode(codec.encode(scenario))), scenario)
    }
  })

  it('refuses load that cannot be made, naming the place', () => {
    const refuse = (profile: unknown, place: RegExp) =>
      assert.throws(() => codec.validate(runSpecSchema, { ...spec, profile }), place)
    refuse({ scenarios: [] }, /profile\.scenarios/)
    refuse({ scenarios: [scenarioOf({ stages: [] })] }, /profile\.scenarios\.0\.stages/)
    refuse({ scenarios: [scenarioOf({ tests: [] })] }, /profile\.scenarios\.0\.tests/)
    refuse(profileOf(hitsPerUser(0, 1)), /profile\.scenarios\.0\.stages\.0\.users/)
    refuse(profileOf(hitsPerUser(1.5, 1)), /profile\.scenarios\.0\.stages\.0\.users/)
    refuse(profileOf(hitsPerUser(1, 0)), /profile\.scenarios\.0\.stages\.0\.iterations/)
    refuse(profileOf({ ...models[4]!, rate: NaN } as LoadModel), /profile\.scenarios\.0\.stages\.0\.rate/)
    refuse({ scenarios: [{ ...scenarioOf(), stages: [{ type: 'no-such-model' }] }] }, /stages\.0\.type/)
  })

  it('lets a later version add fields, and does not pass on what it does not know', () => {
    const later = { ...spec, news: 1, profile: { scenarios: [{ ...scenarioOf(), more: { of: 'it' } }] } }
    assert.deepEqual(codec.validate(runSpecSchema, later), {
      ...spec,
      profile: { scenarios: [scenarioOf()] },
    })
  })
})
