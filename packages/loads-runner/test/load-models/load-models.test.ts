import assert from 'node:assert/strict'
import fc from 'fast-check'
import { codec, loadModelSchema } from '@loads-runner/protocol'
import type { LoadModel } from '@loads-runner/testcase/load'
import { describeModel, GivenLoad, missingIn, planLoad, problemsOf } from '../../src/load-models/index.ts'
import type { LoadLayer } from '../../src/load-models/index.ts'
import type { OptionSource } from '../../src/option-table.ts'
import type { LoadKey } from '../../src/options/load.ts'

type Options = Partial<Record<LoadKey, string>>

function layer(options: Options, source: OptionSource = 'command line'): LoadLayer {
  const given = Object.entries(options) as [LoadKey, string][]
  return { source, values: new Map(given.map(([key, text]) => [key, [text]])) }
}

function plan(...layers: LoadLayer[]): { problems: string[]; stages: LoadModel[] } {
  const problems: string[] = []
  const load = new GivenLoad(layers, problems)
  problems.push(...problemsOf(load), ...missingIn(load))
  const stages = problems.length > 0 ? [] : planLoad(load, { agents: null, round: 1 })
  for (const stage of stages) codec.validate(loadModelSchema, stage)
  return { problems, stages }
}

const planned = (options: Options) => {
  const { problems, stages } = plan(layer(options))
  assert.deepEqual(problems, [])
  return stages
}

const open = { spacing: 'uniform', users: 10_000, maxLateMs: 30_000 }

describe('load models', () => {
  it('makes each model from its options', () => {
    assert.deepEqual(planned({ users: '2:3', duration: '5s', rampUp: '1s' }), [
      { type: 'constant-users', users: 2, durationMs: 5000, rampUpMs: 1000 },
      { type: 'constant-users', users: 3, durationMs: 5000, rampUpMs: 1000 },
    ])
    assert.deepEqual(planned({ users: '2', iterations: '3', maxDuration: '5s' }), [
      { type: 'hits-per-user', users: 2, iterations: 3, rampUpMs: 0, maxDurationMs: 5000 },
    ])
    assert.deepEqual(planned({ users: '7', sharedHits: '100' }), [
      { type: 'shared-hits', users: 7, hits: 100, rampUpMs: 0, maxDurationMs: null },
    ])
    assert.deepEqual(planned({ stages: '3s:9,0s:4,3s:0', start: '2' }), [
      {
        type: 'ramping-users',
        startUsers: 2,
        steps: [
          { durationMs: 3000, target: 9 },
          { durationMs: 0, target: 4 },
          { durationMs: 3000, target: 0 },
        ],
      },
    ])
    assert.deepEqual(
      planned({ rate: '90/m', duration: '6s', users: '50', spacing: 'poisson', maxLate: '1s' }),
      [
        {
          type: 'constant-rate',
          rate: 1.5,
          durationMs: 6000,
          spacing: 'poisson',
          users: 50,
          maxLateMs: 1000,
        },
      ],
    )
    assert.deepEqual(planned({ rate: '0', stages: '3s:60/s' }), [
      { type: 'ramping-rate', startRate: 0, steps: [{ durationMs: 3000, target: 60 }], ...open },
    ])
    assert.deepEqual(planned({ controlled: 'rate', rate: '10/s' }), [
      { type: 'externally-controlled', controls: 'rate', start: 10, durationMs: null, ...open },
    ])
    assert.deepEqual(planned({ controlled: 'users', users: '20', start: '2', duration: '8s' }), [
      { type: 'externally-controlled', controls: 'users', start: 2, durationMs: 8000, ...open, users: 20 },
    ])
  })

  it('describes each in a line', () => {
    const said = (options: Options) => planned(options).map(describeModel)
    assert.deepEqual(said({ users: '2', duration: '5s', rampUp: '1s' }), ['2 users for 5s, started over 1s'])
    assert.deepEqual(said({ users: '1', iterations: '3' }), ['1 user, 3 executions each'])
    assert.deepEqual(said({ users: '7', sharedHits: '100', maxDuration: '1m' }), [
      '7 users share 100 executions, 1m at most',
    ])
    assert.deepEqual(said({ stages: '3s:9,2s:9,3s:0' }), [
      '0 to 9 over 3s, 9 for 2s, 9 to 0 over 3s (8s in all), 9 users at most',
    ])
    assert.deepEqual(said({ rate: '0.5/s', duration: '5s', spacing: 'poisson' }), [
      '0.5/s for 5s, at random (poisson), on 10,000 users at most, dropped when 30s late',
    ])
    assert.deepEqual(said({ controlled: 'users' }), [
      'controlled from outside until it is stopped, from 1 user on, 1,000 users at most',
    ])
  })

  it('names both sides of every contradiction, and what to do, all at once', () => {
    const { problems } = plan(
      layer({
        users: '4:8',
        iterations: '3',
        rate: '4',
        sharedHits: '9',
        duration: '5s',
        pause: '1s',
        delay: '2s',
      }),
    )
    assert.deepEqual(problems, [
      '--iterations and --duration exclude each other: give one',
      '--iterations and --shared-hits exclude each other: give one',
      '--iterations and --rate exclude each other: executions at a rate have a --duration',
      '--shared-hits and --duration exclude each other: give --max-duration instead of --duration',
      '--shared-hits and --rate exclude each other: executions at a rate have a --duration',
      '--pause and --delay exclude each other: give one',
      '--pause says nothing besides --rate: it is for users that wait for answers, and a rate decides itself when executions start',
      '--delay says nothing besides --rate: it is for users that wait for answers, and a rate decides itself when executions start',
      '--users has several stages, and beside --rate it is the most users there may be: give one number, or leave one of the two out',
    ])
  })

  it('says what an option belongs to that stands alone', () => {
    assert.deepEqual(plan(layer({ start: '3', spacing: 'poisson', maxLate: '1s' })).problems, [
      '--start says nothing without --stages or --controlled users: add that, or leave it out',
      '--spacing says nothing without --rate: add that, or leave it out',
      '--max-late says nothing without --rate: add that, or leave it out',
    ])
    assert.deepEqual(plan(layer({ rate: '5/s' })).problems, [
      '--rate needs a time: give --duration, or --stages for a rate that changes',
    ])
  })

  it('refuses lines that are none', () => {
    assert.match(plan(layer({ stages: '10s:0,5s:0' })).problems[0]!, /is at 0 all the time/)
    assert.match(plan(layer({ stages: '0s:5' })).problems[0]!, /takes no time/)
    assert.match(plan(layer({ stages: '10s:50/s' })).problems[0]!, /is a rate, and without --rate/)
    assert.match(plan(layer({ stages: '10s:1.5' })).problems[0]!, /1\.5 is not a number of users/)
    assert.match(plan(layer({ stages: '10:x' })).problems[0]!, /"x" is not a rate/)
    assert.match(plan(layer({ stages: '10s' })).problems[0]!, /"10s" is not TIME:TARGET/)
  })

  it('lets the nearer of two that exclude each other win, with what belongs to it', () => {
    const file = layer({ rate: '50/s', duration: '30s', spacing: 'poisson', users: '9' }, 'config')
    assert.deepEqual(plan(file, layer({ iterations: '5' })).stages, [
      { type: 'hits-per-user', users: 9, iterations: 5, rampUpMs: 0, maxDurationMs: null },
    ])
    assert.deepEqual(plan(file, layer({ duration: '5s' })).stages, [
      { type: 'constant-rate', rate: 50, durationMs: 5000, ...open, spacing: 'poisson', users: 9 },
    ])
    const line = layer({ stages: '10s:5', start: '1' }, 'config')
    assert.deepEqual(plan(line, layer({ users: '20' })).stages, [
      { type: 'hits-per-user', users: 20, iterations: 1, rampUpMs: 0, maxDurationMs: null },
    ])
    const paused = layer({ pause: '1s', users: '3' }, 'class')
    assert.equal(plan(paused, layer({ rate: '5/s', duration: '1s' })).stages[0]!.type, 'constant-rate')
    assert.deepEqual(plan(paused, layer({ controlled: 'rate' }, 'environment')).problems, [])
  })

  it('makes of any options a plan that every agent understands, or says what is wrong', () => {
    const texts: Record<LoadKey, fc.Arbitrary<string>> = {
      users: fc.constantFrom('1', '10', '5:6:7', '0', 'many'),
      iterations: fc.constantFrom('1', '3', '1:2', '1:2:3', '-1'),
      sharedHits: fc.constantFrom('1', '100', 'x'),
      duration: fc.constantFrom('1s', '5m', '0', 'later'),
      maxDuration: fc.constantFrom('1s', '1h'),
      rampUp: fc.constantFrom('0', '1s', '10m'),
      rate: fc.constantFrom('0', '0.5/s', '3000/m', '50', '1e9', '-1'),
      stages: fc.constantFrom('1s:5', '1s:0', '0s:4,1s:4', '1s:2.5', '1s:3/s', '', '1s:5,'),
      start: fc.constantFrom('0', '3', '2.5', '4/s', '5000'),
      spacing: fc.constantFrom('uniform', 'poisson', 'odd'),
      maxLate: fc.constantFrom('0', '10s'),
      controlled: fc.constantFrom('users', 'rate', 'both'),
      pause: fc.constantFrom('1s', '1s..3s', '3s..1s', 'exp:2s', 'pace:0', 'none', '..'),
      delay: fc.constantFrom('0', '2s'),
      gracefulStop: fc.constantFrom('0', '1m'),
    }
    const keys = Object.keys(texts) as LoadKey[]
    const any = fc
      .subarray(keys, { maxLength: 4 })
      .chain((some) => fc.record(Object.fromEntries(some.map((key) => [key, texts[key]]))))
    // One of each model, which any options are too rarely.
    const whole = fc.constantFrom<Options>(
      { users: '10', duration: '5m' },
      { iterations: '3' },
      { sharedHits: '100' },
      { stages: '1s:5' },
      { rate: '50', duration: '1s' },
      { rate: '0.5/s', stages: '1s:3/s' },
      { controlled: 'rate', rate: '3000/m' },
    )
    const options = fc.oneof<fc.Arbitrary<Options>[]>(any, whole)
    const sources = ['config', 'config', 'class', 'environment', 'command line'] as const
    const seen = new Set<string>()
    fc.assert(
      fc.property(fc.array(options, { minLength: 1, maxLength: 3 }), (given) => {
        const layers = given.map((each, index) => layer(each, sources[index + 2]!))
        const { problems, stages } = plan(...layers)
        assert.equal(problems.length === 0, stages.length > 0)
        for (const problem of problems) assert.match(problem, /\S.{8,}/)
        for (const stage of stages) {
          seen.add(stage.type)
          assert.match(describeModel(stage), /\S/)
        }
      }),
      { numRuns: 3000 },
    )
    assert.equal(seen.size, 7, `only ${[...seen].join(' ')} came up`)
  })
})
