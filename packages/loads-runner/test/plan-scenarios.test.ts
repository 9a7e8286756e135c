import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BundleFacts } from '../src/prepare-plan.ts'
import { classOf, one, planOf, two } from './plan-of.ts'

const test = (label: string, weight = 1) => {
  const [className, method] = label.split('.') as [string, string]
  return { label, className, method, weight }
}

/** Two classes with loads of their own. */
const rated: Partial<BundleFacts> = {
  tests: [test('A.test_a'), test('B.test_a'), test('B.test_b', 2)],
  classes: [
    classOf('A', { load: { rate: '5/s', duration: '1m' }, thresholds: ['p(95)<100'] }),
    classOf('B', { labels: ['B.test_a', 'B.test_b'] }),
  ],
  named: [
    { name: 'm.A', labels: ['A.test_a'] },
    { name: 'm.B', labels: ['B.test_a', 'B.test_b'] },
  ],
}

describe('planScenarios', () => {
  let cwd: string
  beforeEach(async () => (cwd = await mkdtemp(join(tmpdir(), 'loads-scenarios-'))))
  afterEach(() => rm(cwd, { recursive: true, force: true }))

  const config = (value: object) => writeFile(join(cwd, 'loads.config.json'), JSON.stringify(value))
  const scenariosOf = async (args: string[], bundle: Partial<BundleFacts>) =>
    (await planOf(args, bundle, { cwd })).spec.profile.scenarios

  it('takes the load of a class, under what was typed', async () => {
    const classes = [
      classOf('T', { labels: ['T.test_a'], load: { rate: '25/s', duration: '2s', pause: undefined } }),
    ]
    const [typed] = await scenariosOf(['m.T', '--rate', '50/s'], { classes })
    assert.equal(typed!.name, 'default')
    const expected = { type: 'constant-rate', rate: 50, durationMs: 2000, spacing: 'uniform' }
    assert.deepEqual(typed!.stages, [{ ...expected, users: 10_000, maxLateMs: 30_000 }])
    const [iterated] = await scenariosOf(['m.T', '--iterations', '3'], { classes })
    assert.equal(iterated!.stages[0]!.type, 'hits-per-user')
  })

  it('puts class attributes between the file and the environment', async () => {
    await config({ duration: '1m', users: 3, gracefulStop: '1s' })
    const classes = [classOf('T', { labels: ['T.test_a'], load: { users: 4 } })]
    const [scenario] = await scenariosOf(['m.T'], { classes })
    assert.deepEqual(scenario!.stages, [
      { type: 'constant-users', users: 4, durationMs: 60_000, rampUpMs: 0 },
    ])
    assert.equal(scenario!.gracefulStopMs, 1000)
    const { spec } = await planOf(['m.T'], { classes }, { cwd, env: { LOADS_USERS: '5' } })
    assert.equal((spec.profile.scenarios[0]!.stages[0] as { users: number }).users, 5)
  })

  it('makes a scenario of each class where their loads differ', async () => {
    const scenarios = await scenariosOf(['m.A', 'm.B'], rated)
    assert.deepEqual(
      scenarios.map(({ name, stages, tests }) => [name, stages[0]!.type, tests.length]),
      [
        ['A', 'constant-rate', 1],
        ['B', 'hits-per-user', 2],
      ],
    )
    // Each test of B as often as its weight says.
    assert.equal((scenarios[1]!.stages[0] as { iterations: number }).iterations, 3)
  })

  it('makes one scenario of classes with the same load', async () => {
    const load = { users: 2, duration: '1s' }
    const classes = [classOf('A', { load }), classOf('B', { load, labels: ['B.test_a', 'B.test_b'] })]
    const scenarios = await scenariosOf(['m.A', 'm.B'], { ...rated, classes })
    assert.deepEqual(
      scenarios.map(({ name, tests }) => [name, tests.length]),
      [['default', 3]],
    )
  })

  it('says that what was typed counts for every scenario', async () => {
    const { spec, notes } = await planOf(['m.A', 'm.B', '--users', '7', '-d', '1s'], rated, { cwd })
    assert.deepEqual(
      spec.profile.scenarios.map(({ stages: [stage] }) => [stage!.type, (stage as { users: number }).users]),
      [
        ['constant-rate', 7],
        ['constant-users', 7],
      ],
    )
    assert.deepEqual(notes, [
      '--users, --duration of the command line or environment counts for every scenario, in place of its own',
    ])
  })

  it('makes scenarios of a file, with weights', async () => {
    await config({
      pause: '1s',
      scenarios: {
        all: {
          tests: ['m.A', { test: 'm.B', weight: 5 }],
          users: 2,
          tags: { tier: 'gold' },
          startAfter: '2s',
        },
        open: { tests: [{ test: 'm.A', weight: 9 }], rate: 5, stages: ['1s:5', '2s:0'], params: { a: 1 } },
      },
    })
    const bundle = { ...rated, classes: rated.classes!.map((cls) => ({ ...cls, load: null })) }
    const [all, open] = await scenariosOf([], bundle)
    assert.deepEqual(all!.tests, [
      { label: 'A.test_a', weight: 1 },
      { label: 'B.test_a', weight: 5 },
      { label: 'B.test_b', weight: 10 },
    ])
    assert.deepEqual(
      [all!.startMs, all!.tags, all!.pause],
      [2000, { tier: 'gold' }, { type: 'constant', ms: 1000 }],
    )
    assert.equal((all!.stages[0] as { iterations: number }).iterations, 16)
    assert.deepEqual(open!.tests, [{ label: 'A.test_a', weight: 9 }])
    assert.deepEqual(
      [open!.stages[0]!.type, open!.pause, open!.params],
      ['ramping-rate', { type: 'none' }, { a: '1' }],
    )
  })

  it('says all that is wrong with all loads', async () => {
    await config({
      scenarios: {
        a: { tests: ['m.A', 'm.B'] },
        b: { tests: ['m.B'], rate: 5 },
        c: { tests: [{ test: 'm.B', weight: 0 }] },
      },
    })
    const classes = [
      classOf('A', { load: { users: 1 } }),
      classOf('B', { labels: ['B.test_a', 'B.test_b'], load: { users: 2 } }),
    ]
    await assert.rejects(scenariosOf([], { ...rated, classes }), (error: { problems: string[] }) => {
      assert.deepEqual(error.problems, [
        'scenario "a": A and B have a static load each, and they differ: give each class a scenario of its own',
        '"rate" of scenario "b" (loads.config.json:1) needs a time: give --duration, or --stages for a rate that changes',
        'scenario "c" has no test to run: every weight is 0',
      ])
      return true
    })
    const wrong = [classOf('T', { labels: ['T.test_a'], load: { usres: 3, rate: 'fast', duration: '1s' } })]
    await assert.rejects(scenariosOf(['m.T'], { classes: wrong }), (error: { problems: string[] }) => {
      assert.deepEqual(error.problems, [
        'unknown key "usres" of T.load: did you mean users?',
        '"rate" of T.load: "fast" is not a rate (write 50/s, 3000/m or 0.5/s; a bare number is per second)',
      ])
      return true
    })
  })

  it('keeps a class with tests of weight 0 out, and runs what is named', async () => {
    const tests = [one, { ...two, weight: 0 }]
    const [scenario] = await scenariosOf(['m.T'], { tests })
    assert.equal((scenario!.stages[0] as { iterations: number }).iterations, 1)
  })
})

describe('planThresholds', () => {
  let cwd: string
  beforeEach(async () => (cwd = await mkdtemp(join(tmpdir(), 'loads-thresholds-'))))
  afterEach(() => rm(cwd, { recursive: true, force: true }))

  const thresholdsOf = async (args: string[], file: object, bundle: Partial<BundleFacts> = {}) => {
    await writeFile(join(cwd, 'loads.config.json'), JSON.stringify(file))
    return (await planOf(args, bundle, { cwd })).spec.thresholds
  }
  const scenarios = {
    a: { tests: ['m.A'], thresholds: ['p(95)<200, errors<1%', 'hits{name:x}: count>5'] },
    'b c': { tests: ['m.B'], thresholds: 'http_req_duration{name:"a} ,b", status:200}: avg<1s' },
  }

  it('adds those of classes and scenarios to those of the file', async () => {
    const plan = await thresholdsOf(
      ['m.A', 'm.B'],
      { thresholds: ['errors<1%'], abortOnFail: true, delayAbort: '5s' },
      rated,
    )
    assert.deepEqual(plan, [
      { expression: 'errors<1%', abortOnFail: true, delayAbortMs: 5000 },
      { expression: 'http_req_duration: p(95)<100', abortOnFail: true, delayAbortMs: 5000 },
    ])
  })

  it('lets those that were typed replace all others', async () => {
    const plan = await thresholdsOf(
      ['m.A', 'm.B', '--threshold', 'failures<1%'],
      { thresholds: 'errors<1%' },
      rated,
    )
    assert.deepEqual(
      plan.map(({ expression }) => expression),
      ['failures<1%'],
    )
  })

  it('keeps those of one scenario of several to its figures', async () => {
    const classes = rated.classes!.map((cls) => ({ ...cls, load: null, thresholds: [] }))
    const plan = await thresholdsOf([], { scenarios }, { ...rated, classes })
    assert.deepEqual(
      plan.map(({ expression }) => expression),
      [
        'http_req_duration{scenario:"a"}: p(95)<200',
        'errors{scenario:"a"}<1%',
        'hits{scenario:"a",name:x}: count>5',
        'http_req_duration{scenario:"b c",name:"a} ,b", status:200}: avg<1s',
      ],
    )
  })

  it('refuses what cannot be kept apart, and stages that are not there', async () => {
    const classes = rated.classes!.map((cls) => ({ ...cls, load: null, thresholds: [] }))
    const wrong = { ...scenarios, a: { tests: ['m.A'], thresholds: ['orders: count>5'] } }
    await assert.rejects(
      thresholdsOf([], { scenarios: wrong }, { ...rated, classes }),
      /"thresholds" of scenario "a": "orders: count>5": orders is not kept apart by scenarios/,
    )
    await assert.rejects(
      thresholdsOf(['m.T', '--threshold', 'errors<1% during nobody/1'], {}),
      /there is no scenario nobody: the run has default/,
    )
  })
})
