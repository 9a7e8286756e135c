import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { readEventLog } from '@loads-runner/protocol'
import { RunnerError } from '../src/errors.ts'
import { RunDirectory } from '../src/run-directory.ts'
import { RunRecord } from '../src/run-record.ts'
import { RunView } from '@loads-runner/history'
import { Secrets } from '@loads-runner/testcase/secrets'
import { whyNotWritable, writeJson } from '../src/write-json.ts'
import { EventMaker, spec } from './fixtures.ts'

const source = { testDir: '/tests', includeFile: ['data/*.csv'], external: [] }

describe('RunDirectory', () => {
  let root: string
  const warnings: string[] = []
  const day = new Date(2026, 10, 5)
  const create = () => RunDirectory.create(join(root, 'results'), (text) => warnings.push(text), day)

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'loads-results-'))
    warnings.length = 0
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  it('numbers the runs of a day, at once too', async () => {
    await mkdir(join(root, 'results', '2026-11-05--9'), { recursive: true })
    const made = await Promise.all(Array.from({ length: 20 }, create))
    const numbers = made
      .map(({ path }) => Number(basename(path).replace('2026-11-05--', '')))
      .sort((a, b) => a - b)
    assert.deepEqual(
      numbers,
      Array.from({ length: 20 }, (_, index) => index + 10),
    )
  })

  it('says at once that there can be none', async function () {
    if (process.platform !== 'linux') this.skip()
    await writeFile(join(root, 'results'), 'a file')
    for (const path of [join(root, 'results'), join(root, 'results', 'more'), '/proc/nowhere/results']) {
      await assert.rejects(
        RunDirectory.create(path, () => {}),
        { code: 'RUNNER_RESULTS', exitCode: 4, message: /cannot make a run directory .*--results$/ },
      )
    }
  })

  it('points latest at the newest that has begun', async () => {
    const latest = () => readlink(join(root, 'results', 'latest'))
    const [first, second, third] = [await create(), await create(), await create()]
    await first.begin()
    assert.equal(await latest(), '2026-11-05--1')
    await second.begin()
    assert.equal(await latest(), '2026-11-05--2')
    await third.discard()
    assert.equal(await latest(), '2026-11-05--2')
    await Promise.all([first.close(), second.close()])
    assert.deepEqual((await readdir(join(root, 'results'))).sort(), [
      '2026-11-05--1',
      '2026-11-05--2',
      'latest',
    ])
  })

  it('keeps every event in order, from which the run can be rebuilt', async () => {
    const directory = await create()
    const maker = new EventMaker()
    const record = new RunRecord(directory, spec(), 'r1', new Secrets([]), source)
    await record.begin()
    const events = [
      maker.snapshot(),
      maker.state('running'),
      ...[1, 2, 3].map((hits) => maker.commit(hits)),
      maker.finished(),
    ]
    for (const [sequence, event] of events.entries()) {
      record.take({ type: 'event', runId: 'r1', sequence, skipped: 0, event })
    }
    await directory.close()
    const view = new RunView()
    for await (const event of readEventLog(join(directory.path, 'events'))) view.apply(event as never)
    assert.equal(view.aggregate.hits().count, 6)
    assert.equal(view.summary?.verdict, 'passed')
  })

  it('stores no secret', async () => {
    const directory = await create()
    const secret = spec({ secrets: { TOKEN: 'hunter22' }, env: { COPY: 'x hunter22' } })
    const secrets = new Secrets(['hunter22'])
    const record = new RunRecord(directory, secret, 'r1', secrets, source)
    await record.begin()
    const event = secrets.hideIn(new EventMaker().snapshot({ spec: secret }))
    record.take({ type: 'event', runId: 'r1', sequence: 0, skipped: 0, event })
    await record.finish(new RunView())
    await directory.close()
    for (const file of ['run.json', 'events']) {
      const text = await readFile(join(directory.path, file), 'utf8')
      assert.ok(text.includes('TOKEN'), file)
      assert.ok(!text.includes('hunter22'), file)
    }
  })

  it('says once that the disk fails, and goes on', async () => {
    const directory = await create()
    const record = new RunRecord(directory, spec(), 'r1', new Secrets([]), source)
    await rm(directory.path, { recursive: true })
    await record.begin()
    for (let sequence = 0; sequence < 10; sequence++) {
      record.take({ type: 'event', runId: 'r1', sequence, skipped: 0, event: new EventMaker().snapshot() })
    }
    await directory.close()
    assert.equal(warnings.length, 1)
    assert.match(warnings[0]!, /^warning: cannot write to .*: ENOENT.*; the run goes on without a record$/)
    await assert.rejects(directory.writeSummary({}), (error: unknown) => {
      assert.ok(error instanceof RunnerError)
      assert.deepEqual([error.code, error.exitCode], ['RUNNER_RESULTS', 4])
      return true
    })
  })

  it('refuses before the run when it cannot be made', async () => {
    await writeFile(join(root, 'results'), 'a file')
    await assert.rejects(create(), /cannot make a run directory in .*--results/)
  })

  it('keeps agent logs inside, whatever an agent is called', async () => {
    const directory = await create()
    assert.equal(directory.logOf('../../etc/x y'), join(directory.path, 'agents', '__.._etc_x_y', 'log'))
    assert.equal(directory.logOf('..'), join(directory.path, 'agents', '_', 'log'))
  })
})

describe('writeJson', () => {
  let root: string
  beforeEach(async () => (root = await mkdtemp(join(tmpdir(), 'loads-json-'))))
  afterEach(() => rm(root, { recursive: true, force: true }))

  it('replaces a file as a whole and leaves nothing beside it', async () => {
    const file = join(root, 'summary.json')
    await writeFile(file, 'old')
    await writeJson(file, { new: 1 })
    assert.equal(await readFile(file, 'utf8'), '{\n  "new": 1\n}\n')
    assert.deepEqual(await readdir(root), ['summary.json'])
  })

  it('writes into a device instead of replacing it', async () => {
    await writeJson('/dev/null', { a: 1 })
    assert.ok((await stat('/dev/null')).isCharacterDevice())
    assert.equal((await readFile('/dev/null')).length, 0)
  })

  it('knows beforehand what cannot be written', async () => {
    for (const file of [join(root, 'x.json'), '/dev/null']) assert.equal(await whyNotWritable(file), null)
    assert.equal(await whyNotWritable(root), 'it is a directory')
    assert.match((await whyNotWritable(join(root, 'none', 'x.json')))!, /ENOENT/)
  })

  it('names the file that it cannot write', async () => {
    await assert.rejects(writeJson(join(root, 'none', 'x.json'), {}), /cannot write .*none\/x\.json: ENOENT/)
  })
})
