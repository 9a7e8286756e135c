import assert from 'node:assert/strict'
import { lstat, mkdir, readdir, readlink, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { HistoryError, type HistoryErrorCode } from '../src/errors.ts'
import { pointLatestAt } from '../src/latest-link.ts'
import { RunStore } from '../src/run-store.ts'
import { withDirectory, writeJournal, writeRun, type RunPlan } from './run-maker.ts'

const day = 86_400_000
const start = Date.parse('2026-11-01T12:00:00Z')

function dayName(index: number, number = 1): string {
  return `${new Date(start + index * day).toISOString().slice(0, 10)}--${number}`
}

/** A run of each day. */
async function fill(root: string, plans: readonly RunPlan[]): Promise<void> {
  for (const [index, plan] of plans.entries()) {
    const runId = `run-${String.fromCharCode(97 + index)}${index}`
    await writeRun(join(root, dayName(index)), { runId, startedAt: start + index * day, ...plan })
  }
}

function refused(code: HistoryErrorCode, text: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof HistoryError, String(error))
    assert.equal(error.code, code)
    assert.match(error.message, text)
    return true
  }
}

const oneSecond = [[{ micros: 12_000, count: 30, failed: 3 }]]

/** As if nobody had written it for a day. */
async function age(directory: string): Promise<void> {
  const then = new Date(Date.now() - day)
  for (const file of await readdir(directory)) await utimes(join(directory, file), then, then)
}

describe('RunStore', () => {
  it('lists runs, newest first, by what they and their summaries say', () =>
    withDirectory(async (root) => {
      await fill(root, [
        { seconds: oneSecond, spec: { project: 'shop', user: 'ann', labels: { env: 'ci' } } },
        { isTorn: true },
        { verdict: 'failed' },
      ])
      await mkdir(join(root, 'no-run'))
      await writeFile(join(root, 'notes.txt'), '')
      const runs = await new RunStore([root]).list()
      assert.deepEqual(
        runs.map(({ name, verdict }) => [name, verdict]),
        [
          [dayName(2), 'failed'],
          [dayName(1), null],
          [dayName(0), 'passed'],
        ],
      )
      const first = runs.at(-1)!
      assert.equal(first.runId, 'run-a0')
      assert.equal(first.startedAt, start)
      assert.equal(first.project, 'shop')
      assert.equal(first.user, 'ann')
      assert.deepEqual(first.labels, { env: 'ci' })
      assert.deepEqual([first.hits, first.errorRate], [30, 0.1])
      assert.ok(first.p95! > 11.9 && first.p95! < 12.1)
      assert.equal(first.path, join(root, dayName(0)))
    }))

  it('filters', () =>
    withDirectory(async (root) => {
      await fill(root, [
        { spec: { project: 'shop', user: 'ann', labels: { env: 'ci', zone: 'eu' }, names: ['a', 'b'] } },
        { spec: { project: 'shop', user: 'bob', labels: { env: 'ci' }, names: ['a'] }, verdict: 'failed' },
        { spec: { project: 'bank', user: 'ann' }, isTorn: true },
      ])
      const store = new RunStore([root])
      const ids = async (filter: Parameters<RunStore['list']>[0]) =>
        (await store.list(filter)).map(({ runId }) => runId)
      assert.deepEqual(await ids({ project: 'shop' }), ['run-b1', 'run-a0'])
      assert.deepEqual(await ids({ user: 'ann' }), ['run-c2', 'run-a0'])
      assert.deepEqual(await ids({ labels: { env: 'ci', zone: 'eu' } }), ['run-a0'])
      assert.deepEqual(await ids({ verdict: 'failed' }), ['run-b1'])
      assert.deepEqual(await ids({ verdict: null }), ['run-c2'])
      assert.deepEqual(await ids({ names: ['a'] }), ['run-b1', 'run-a0'])
      assert.deepEqual(await ids({ names: ['b', 'a'] }), ['run-a0'])
      assert.deepEqual(await ids({ since: start + day }), ['run-c2', 'run-b1'])
      assert.deepEqual(await ids({ until: start + day }), ['run-a0'])
      assert.deepEqual(await ids({ limit: 1 }), ['run-c2'])
      assert.deepEqual(await ids({ project: 'shop', limit: 1 }), ['run-b1'])
    }))

  it('takes several roots, journals of brokers among them, and shows a run once', () =>
    withDirectory(async (directory) => {
      const [results, broker] = [join(directory, 'results'), join(directory, 'broker')]
      await fill(results, [{ seconds: oneSecond }])
      const last = { runId: 'run-j', startedAt: start + 9 * day, seconds: oneSecond }
      await writeJournal(join(broker, 'run-j'), { ...last, verdict: 'failed', spec: { project: 'shop' } })
      await writeJournal(join(broker, 'run-a0'), { runId: 'run-a0', startedAt: start, seconds: oneSecond })
      await writeJournal(join(broker, 'run-k'), { runId: 'run-k', startedAt: start + 8 * day, isTorn: true })
      const runs = await new RunStore([results, broker, join(directory, 'nothing')]).list()
      assert.deepEqual(
        runs.map(({ runId, kind, verdict, project }) => [runId, kind, verdict, project]),
        [
          ['run-j', 'journal', 'failed', 'shop'],
          ['run-k', 'journal', null, null],
          ['run-a0', 'run-directory', 'passed', null],
        ],
      )
      assert.equal(runs[1]!.startedAt, start + 8 * day - 500, 'when it was submitted')
    }))

  it('sees what has changed since it looked last', () =>
    withDirectory(async (root) => {
      const store = new RunStore([root])
      assert.deepEqual(await store.list(), [])
      await fill(root, [{ isTorn: true }])
      assert.equal((await store.list())[0]!.verdict, null)
      await fill(root, [{ verdict: 'failed' }])
      assert.equal((await store.list())[0]!.verdict, 'failed')
    }))

  it('lists a run whose files are damaged, with what is wrong', () =>
    withDirectory(async (root) => {
      await fill(root, [{}, {}])
      await writeFile(join(root, dayName(0), 'run.json'), '{"runId')
      await writeFile(join(root, dayName(1), 'summary.json'), '{"schema')
      const runs = await new RunStore([root]).list()
      const byName = new Map(runs.map((run) => [run.name, run]))
      assert.match(byName.get(dayName(0))!.trouble!, /run\.json is damaged/)
      assert.equal(byName.get(dayName(1))!.verdict, null)
      assert.equal(byName.get(dayName(1))!.trouble, null)
    }))

  it('finds a run by path, name, id, the beginning of an id, and by what it was', () =>
    withDirectory(async (root) => {
      await fill(root, [
        { spec: { project: 'shop', names: ['a'] } },
        { spec: { project: 'bank' } },
        { spec: { project: 'shop' }, verdict: 'failed' },
      ])
      await pointLatestAt(join(root, dayName(2)))
      const store = new RunStore([root])
      const found = async (...args: Parameters<RunStore['find']>) => (await store.find(...args)).runId
      assert.equal(await found(join(root, dayName(1))), 'run-b1')
      assert.equal(await found(relative(process.cwd(), join(root, dayName(1)))), 'run-b1')
      assert.equal(await found(join(root, 'latest')), 'run-c2')
      assert.equal(await found(dayName(0)), 'run-a0')
      assert.equal(await found('run-a0'), 'run-a0')
      assert.equal(await found('run-b'), 'run-b1')
      assert.equal(await found('latest'), 'run-c2')
      assert.equal(await found('last-passed'), 'run-b1')
      assert.equal(await found('last-passed', { project: 'shop' }), 'run-a0')
      assert.equal(await found('last-passed', { names: ['a'] }), 'run-a0')
    }))

  it('says what is near where there is no such run', () =>
    withDirectory(async (root) => {
      const store = new RunStore([root])
      await assert.rejects(store.find('x'), refused('HISTORY_NO_RUN', /holds no runs/))
      await fill(root, [{ verdict: 'failed' }, { verdict: 'failed' }])
      await assert.rejects(store.find('run-'), refused('HISTORY_AMBIGUOUS', /run-b1 .*run-a0/))
      await assert.rejects(store.find('run-a1'), refused('HISTORY_NO_RUN', /did you mean .*run-a0/))
      await assert.rejects(store.find('zebra-crossing'), refused('HISTORY_NO_RUN', new RegExp(dayName(1))))
      await assert.rejects(store.find(''), refused('HISTORY_NO_RUN', /there is no run/))
      const passed = store.find('last-passed', { project: 'shop' })
      await assert.rejects(passed, refused('HISTORY_NO_RUN', /no passed run of project shop/))
    }))

  it('lists 2,000 runs in time', async function () {
    this.timeout(120_000)
    await withDirectory(async (root) => {
      await writeRun(join(root, dayName(0, 1)), { seconds: oneSecond })
      const { readFile } = await import('node:fs/promises')
      const files = await Promise.all(
        ['run.json', 'summary.json'].map((file) => readFile(join(root, dayName(0, 1), file), 'utf8')),
      )
      for (let number = 2; number <= 2000; number++) {
        const path = join(root, dayName(number % 30, number))
        await mkdir(path)
        await writeFile(join(path, 'run.json'), files[0]!.replace('"r1"', `"r${number}"`))
        await writeFile(join(path, 'summary.json'), files[1]!)
      }
      const store = new RunStore([root])
      // Of the processor: a machine that is busy with other things takes longer.
      const workedMs = () => {
        const { user, system } = process.cpuUsage()
        return (user + system) / 1000
      }
      const startedMs = workedMs()
      const all = await store.list()
      const firstMs = workedMs() - startedMs
      assert.equal(all.length, 2000)
      await store.list()
      const secondMs = workedMs() - startedMs - firstMs
      assert.ok(firstMs < 15_000, `the first time took ${firstMs} ms`)
      assert.ok(secondMs < 8000, `the second time took ${secondMs} ms`)
      if (process.env.HISTORY_TIMES !== undefined) console.log({ firstMs, secondMs })
    })
  })
})

describe('RunStore.prune', () => {
  const past: RunPlan[] = [
    { spec: { project: 'shop' } },
    { spec: { project: 'shop' }, verdict: 'failed' },
    { spec: { project: 'shop' } },
    { spec: { project: 'bank' } },
    { spec: { project: 'shop' }, verdict: 'failed' },
    { spec: { project: 'bank' }, verdict: 'failed' },
  ]

  it('keeps the newest, and the last one that passed of each project', () =>
    withDirectory(async (root) => {
      await fill(root, past)
      const store = new RunStore([root])
      const plan = await store.prune({ keep: 1, dryRun: true })
      assert.equal((await store.list()).length, 6, 'a dry run removes nothing')
      const { removed, kept, failed } = await store.prune({ keep: 1 })
      assert.deepEqual(
        removed.map(({ runId }) => runId),
        ['run-e4', 'run-b1', 'run-a0'],
      )
      assert.deepEqual(
        plan.removed.map(({ runId }) => runId),
        ['run-e4', 'run-b1', 'run-a0'],
      )
      assert.equal(kept, 3)
      assert.deepEqual(failed, [])
      assert.deepEqual(
        (await store.list()).map(({ runId }) => runId),
        ['run-f5', 'run-d3', 'run-c2'],
      )
      assert.deepEqual((await readdir(root)).sort(), [dayName(2), dayName(3), dayName(5)].sort())
      await store.prune({ keep: 0, evenLastPassed: true })
      assert.deepEqual(await readdir(root), [])
    }))

  it('removes by age, and where both are asked for, by both', () =>
    withDirectory(async (root) => {
      await fill(root, past)
      const store = new RunStore([root])
      const olderThanMs = Date.now() - (start + 2.5 * day)
      const ids = async (request: Parameters<RunStore['prune']>[0]) =>
        (await store.prune({ ...request, dryRun: true })).removed.map(({ runId }) => runId)
      assert.deepEqual(await ids({ olderThanMs }), ['run-b1', 'run-a0'])
      assert.deepEqual(await ids({ olderThanMs, keep: 5 }), ['run-a0'])
      assert.deepEqual(await ids({ olderThanMs, evenLastPassed: true }), ['run-c2', 'run-b1', 'run-a0'])
    }))

  it('must be told which', () =>
    withDirectory(async (root) => {
      const store = new RunStore([root])
      await assert.rejects(store.prune({}), refused('HISTORY_PRUNE', /how many to keep/))
      await assert.rejects(store.prune({ keep: -1 }), refused('HISTORY_PRUNE', /keep is -1/))
      await assert.rejects(store.prune({ olderThanMs: NaN }), refused('HISTORY_PRUNE', /olderThanMs is NaN/))
    }))

  it('removes nothing but run directories, and follows no link', () =>
    withDirectory(async (directory) => {
      const [root, elsewhere] = [join(directory, 'results'), join(directory, 'elsewhere')]
      await fill(root, [{ verdict: 'failed' }])
      await writeRun(join(elsewhere, 'run'), { verdict: 'failed' })
      await writeFile(join(elsewhere, 'precious.txt'), 'precious')
      await symlink(join(elsewhere, 'run'), join(root, dayName(1)))
      await symlink(elsewhere, join(root, dayName(0), 'agents'))
      await mkdir(join(root, 'no-run'))
      await writeFile(join(root, 'no-run', 'precious.txt'), 'precious')
      await writeJournal(join(root, 'journal-run'), { runId: 'j', verdict: 'failed' })
      await age(join(root, dayName(0)))
      const { removed } = await new RunStore([root]).prune({ keep: 0 })
      assert.deepEqual(
        removed.map(({ runId }) => runId),
        ['run-a0'],
      )
      assert.deepEqual((await readdir(root)).sort(), [dayName(1), 'journal-run', 'no-run'].sort())
      assert.ok((await stat(join(elsewhere, 'precious.txt'))).isFile())
      assert.ok((await stat(join(elsewhere, 'run', 'run.json'))).isFile())
    }))

  it('spares a run that is being written', () =>
    withDirectory(async (root) => {
      await fill(root, [{ isTorn: true }, { isTorn: true }])
      await age(join(root, dayName(0)))
      const { removed } = await new RunStore([root]).prune({ keep: 0 })
      assert.deepEqual(
        removed.map(({ runId }) => runId),
        ['run-a0'],
      )
    }))

  it('repairs latest', () =>
    withDirectory(async (root) => {
      await fill(root, [{}, { verdict: 'failed' }])
      await pointLatestAt(join(root, dayName(1)))
      const store = new RunStore([root])
      await store.prune({ keep: 0 })
      assert.equal(await readlink(join(root, 'latest')), dayName(0))
      await store.prune({ keep: 0, evenLastPassed: true })
      await assert.rejects(lstat(join(root, 'latest')))
    }))
})
