import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hitsPerUser, scenarioOf } from '@loads-runner/protocol/testing'
import { findExecution, readRecordedRun } from '../src/recorded-run.ts'
import { spec } from './fixtures.ts'

const rate = {
  type: 'constant-rate',
  rate: 10,
  durationMs: 5000,
  spacing: 'uniform',
  users: 5,
  maxLateMs: 0,
} as const

const shared = { type: 'shared-hits', users: 2, hits: 7, rampUpMs: 0, maxDurationMs: null } as const

const plan = spec({
  profile: {
    scenarios: [
      scenarioOf({ name: 'closed', stages: [hitsPerUser(2, 3), hitsPerUser(4, 1)] }),
      scenarioOf({ name: 'open', stages: [rate] }),
      scenarioOf({ name: 'shared', stages: [shared] }),
    ],
  },
})

describe('findExecution', () => {
  const find = (execution: string) => findExecution(plan, { run: 'r', execution }).replay

  it('finds executions of every kind', () => {
    assert.deepEqual(find('closed/1/2'), { scenario: 'closed', unit: 1, iteration: 2 })
    assert.deepEqual(find('closed/5/0'), { scenario: 'closed', unit: 5, iteration: 0 })
    assert.deepEqual([find('open/49').scenario, find('open/49').iteration], ['open', 49])
    assert.deepEqual([find('shared/6').scenario, find('shared/6').iteration], ['shared', 6])
  })

  it('says why there is none', () => {
    const wrong: [string, RegExp][] = [
      ['other/1/2', /has no execution other\/1\/2: its scenarios are closed, open, shared$/],
      ['closed/6/0', /its users are 0 to 5$/],
      ['closed/1/3', /users of that stage have 3 executions, 0 to 2$/],
      ['closed/1', /ids of scenario closed are closed\/USER\/ITERATION$/],
      ['open/1/2', /ids of scenario open are open\/NUMBER$/],
      ['open/50', /its executions are 0 to 49$/],
      ['shared/7', /its executions are 0 to 6$/],
    ]
    for (const [id, said] of wrong) assert.throws(() => find(id), said, id)
  })
})

describe('readRecordedRun', () => {
  let cwd: string
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'loads-recorded-'))
    await mkdir(join(cwd, 'results', 'day--1'), { recursive: true })
    await symlink('day--1', join(cwd, 'results', 'latest'))
  })
  afterEach(() => rm(cwd, { recursive: true, force: true }))

  const write = (value: unknown) =>
    writeFile(join(cwd, 'results', 'day--1', 'run.json'), JSON.stringify(value))

  it('finds a run by name, path and "latest"', async () => {
    const source = { testDir: '/tests', includeFile: ['a'], external: [] }
    await write({ runId: 'r1', spec: plan, source })
    for (const run of ['day--1', 'latest', 'results/day--1', join(cwd, 'results/day--1')]) {
      const recorded = await readRecordedRun(run, 'results', cwd)
      assert.deepEqual([recorded.runId, recorded.spec, recorded.source], ['r1', plan, source])
    }
  })

  it('says what is wrong with what it finds', async () => {
    await assert.rejects(
      readRecordedRun('day--2', 'results', cwd),
      /--replay: there is no run day--2: .* holds no runs/,
    )
    await assert.rejects(readRecordedRun('latest', 'results', cwd), /there is no run/)
    await write({ runId: 'r1', spec: plan })
    await assert.rejects(readRecordedRun('latest', 'results', cwd), /day--1 does not say where its tests are/)
    await write({
      runId: 'r1',
      spec: { ...plan, seed: 'x' },
      source: { testDir: '/', includeFile: [], external: [] },
    })
    await assert.rejects(readRecordedRun('latest', 'results', cwd), /--replay: .*seed/s)
  })
})
