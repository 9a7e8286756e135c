import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { hitsPerUser, profileOf, scenarioOf } from '@loads-runner/protocol/testing'
import { bundleOf, ScriptedBroker, specFor } from './helpers/scripted-broker.ts'

const counting = `
import { TestCase } from '@loads-runner/testcase'
export class TestCount extends TestCase {
  async test_a() { console.log('pid ' + process.pid + ' in ' + process.cwd()); this.incrCounter('done') }
}`
const endless = `
import { TestCase } from '@loads-runner/testcase'
export class TestEndless extends TestCase {
  async test_a() { if (this.iteration === 0) console.log('pid ' + process.pid); await new Promise((done) => setTimeout(done, 20)) }
}`
const forMinutes = {
  profile: profileOf({ type: 'constant-users', users: 2, durationMs: 300_000, rampUpMs: 0 }),
}

const isAlive = (pid: number) => existsSync(`/proc/${pid}`)

describe('agent', () => {
  let broker: ScriptedBroker
  beforeEach(async () => {
    broker = new ScriptedBroker()
    await broker.start()
  })
  afterEach(() => broker.stop())

  const sessionPid = async () => Number((await broker.line(/^pid (\d+)/))[1])

  it('fetches the bundle, runs its share in a process of its own, and leaves nothing', async () => {
    await broker.run(await bundleOf(counting), {
      profile: profileOf(hitsPerUser(3, 4)),
    })
    const said = await broker.line(/^pid (\d+) in (.*)/)
    assert.notEqual(Number(said[1]), process.pid)
    await broker.next('stage-done')
    broker.send({ type: 'finish', runId: broker.runId })
    const final = await broker.finalWindow()
    assert.deepEqual(final.ledger, { planned: 12, started: 12, finished: 12, interrupted: 0, dropped: 0 })
    assert.equal(broker.totals.tests().successes, 12)
    broker.send({ type: 'release', runId: broker.runId, reason: 'over' })
    await broker.next('released')
    assert.equal(isAlive(Number(said[1])), false, 'the session process is gone')
    assert.equal(existsSync(said[2]!), false, 'its directory is gone')
  })

  it('hands on what tests say of the run, 20 notes a second, and says how many there were beyond', async () => {
    const annotating = `
import { TestCase } from '@loads-runner/testcase'
export class TestNotes extends TestCase {
  async test_a() {
    this.annotate('cache emptied', { node: 'db-2' })
    for (let index = 0; index < 99; index++) this.annotate('flood ' + index)
  }
}`
    await broker.run(await bundleOf(annotating), {})
    await broker.next('stage-done')
    broker.send({ type: 'finish', runId: broker.runId })
    await broker.finalWindow()
    const first = await broker.next('annotate')
    assert.deepEqual(first, {
      type: 'annotate',
      runId: broker.runId,
      annotation: { type: 'note', text: 'cache emptied', tags: { node: 'db-2' } },
    })
    const others = broker.said.filter(({ type }) => type === 'annotate')
    // Said once a second at most: on a slow machine the notes may take longer.
    const leftOut = broker.said.flatMap((message) => {
      const found = message.type === 'log' && /^(\d+) notes? w\w+ left out/.exec(message.text)
      if (!found) return []
      assert.equal(message.level, 'warning')
      return [Number(found[1])]
    })
    assert.equal(
      leftOut.reduce((sum, count) => sum + count, 0),
      99 - others.length,
    )
    assert.ok(others.length >= 19)
  })

  it('takes over users where they stopped', async () => {
    // The agent's share is one user of three.
    await broker.run(await bundleOf(counting), { profile: profileOf(hitsPerUser(3, 1)) }, 3)
    await broker.next('stage-done')
    const units = [
      { unit: 1, stage: 0, fromIteration: 0 },
      { unit: 2, stage: 0, fromIteration: 1 },
    ]
    broker.send({ type: 'add-units', runId: broker.runId, from: 0, units })
    await broker.next('stage-done')
    broker.send({ type: 'finish', runId: broker.runId })
    const final = await broker.finalWindow()
    assert.deepEqual(final.ledger, { planned: 2, started: 2, finished: 2, interrupted: 0, dropped: 0 })
  })

  it('says again over each new link how far it is, and takes over units once that are said again', async () => {
    const { runId } = broker
    await broker.run(await bundleOf(counting), { profile: profileOf(hitsPerUser(3, 1)) }, 3)
    assert.equal((await broker.next('stage-done')).units, 0)
    await broker.relink()
    await Promise.all([broker.next('prepared'), broker.next('armed')])
    assert.equal((await broker.next('stage-done')).units, 0)

    const [one, two] = [
      { unit: 1, stage: 0, fromIteration: 0 },
      { unit: 2, stage: 0, fromIteration: 0 },
    ] as const
    // Those before it were lost with a link.
    broker.send({ type: 'add-units', runId, from: 1, units: [two] })
    broker.send({ type: 'add-units', runId, from: 0, units: [one] })
    assert.equal((await broker.next('stage-done')).units, 1)
    await broker.relink()
    broker.send({ type: 'arm', runId, data: '{}' })
    broker.send({ type: 'add-units', runId, from: 0, units: [one, two] })
    while ((await broker.next('stage-done')).units !== 2);
    broker.send({ type: 'finish', runId })
    const { ledger } = await broker.finalWindow()
    assert.deepEqual(ledger, { planned: 3, started: 3, finished: 3, interrupted: 0, dropped: 0 })
  })

  it('asks again for a bundle of which parts were lost with a link', async () => {
    const { runId } = broker
    const bundle = await bundleOf(counting)
    broker.send({
      type: 'prepare',
      runId,
      spec: specFor(bundle),
      share: { ranges: [{ first: 0, count: 1 }] },
    })
    const { hash } = await broker.next('need-bundle')
    const half = bundle.bytes.length >> 1
    broker.send({ type: 'bundle', runId, hash, last: false, bytes: bundle.bytes.subarray(0, half) })
    await broker.relink()
    assert.equal((await broker.next('need-bundle')).hash, hash)
    broker.send({ type: 'bundle', runId, hash, last: true, bytes: bundle.bytes })
    await broker.next('prepared')
    await broker.relink()
    await broker.next('prepared')
    assert.ok(broker.said.every(({ type }) => type !== 'need-bundle'))
  })

  it('runs scenarios side by side, each with its own stages', async () => {
    const scenarios = [
      scenarioOf({ name: 'long', stages: [hitsPerUser(1, 2), hitsPerUser(1, 3)] }),
      scenarioOf({ name: 'short', stages: [hitsPerUser(2, 1)] }),
    ]
    await broker.run(await bundleOf(counting), { profile: { scenarios } })
    broker.send({ type: 'start-stage', runId: broker.runId, stage: 2 })
    const first = [await broker.next('stage-done'), await broker.next('stage-done')]
    assert.deepEqual(new Set(first.map(({ stage }) => stage)), new Set([0, 2]))
    broker.send({ type: 'start-stage', runId: broker.runId, stage: 1 })
    assert.equal((await broker.next('stage-done')).stage, 1)
    broker.send({ type: 'finish', runId: broker.runId })
    const { ledger } = await broker.finalWindow()
    assert.deepEqual(ledger, { planned: 7, started: 7, finished: 7, interrupted: 0, dropped: 0 })
  })

  it('changes users when it is told to, and goes on when a change is said again', async () => {
    const profile = profileOf({
      type: 'externally-controlled',
      controls: 'users',
      start: 0,
      durationMs: null,
      spacing: 'uniform',
      users: 3,
      maxLateMs: 1000,
    })
    await broker.run(await bundleOf(endless), { profile })
    const quiet = await broker.next('window')
    assert.equal(quiet.ledger.started, 0)
    const control = (...changes: { atMs: number; target: number; paused: boolean }[]) =>
      broker.send({ type: 'control', runId: broker.runId, stage: 0, changes })
    const more = { atMs: quiet.toMs, target: 2, paused: false }
    control(more)
    control(more)
    await broker.window(({ activeUsers }) => activeUsers === 2)
    control(more, { atMs: quiet.toMs + 1, target: 2, paused: true })
    const paused = await broker.window(({ activeUsers, ledger }) => {
      return activeUsers === 0 && ledger.started === ledger.finished
    })
    assert.ok(paused.ledger.started >= 2)
    broker.send({ type: 'stop', runId: broker.runId, mode: 'drain' })
    assert.equal((await broker.finalWindow()).ledger.started, paused.ledger.started)
  })

  it('asks for rows of leased feeds and says which were used', async () => {
    const source = `
import { TestCase } from '@loads-runner/testcase'
export class TestRows extends TestCase {
  async test_a() { const row = await this.feed('users.csv', { mode: 'leased' }); this.incrCounter(row.name) }
}`
    const names = Array.from({ length: 10 }, (_, row) => `user${row}`)
    const bundle = await bundleOf(source, { 'users.csv': ['name', ...names, ''].join('\n') })
    await broker.run(bundle, { profile: profileOf(hitsPerUser(1, 4)) })
    const { feed, size, count } = await broker.next('lease-rows')
    assert.equal(size, 10)
    assert.ok(count >= 1)
    // Others have the first rows.
    broker.send({ type: 'rows', runId: broker.runId, feed, first: 3, count: 2 })
    assert.equal((await broker.next('lease-rows')).feed, feed)
    broker.send({ type: 'rows', runId: broker.runId, feed, first: 7, count: 1 })
    await broker.next('lease-rows')
    broker.send({ type: 'rows', runId: broker.runId, feed, first: 0, count: 0 })
    await broker.next('stage-done')
    broker.send({ type: 'finish', runId: broker.runId })
    await broker.finalWindow()
    assert.deepEqual(broker.totals.tests().successes, 3)
    assert.equal(broker.totals.tests().errors, 1)
    const used = broker.usedRows.get(feed)!
    assert.deepEqual(
      used.toSorted((a, b) => a - b),
      [3, 4, 7],
    )
    assert.deepEqual(
      broker.totals
        .ofKind('counter')
        .map(({ key }) => key.name)
        .toSorted(),
      ['user3', 'user4', 'user7'],
    )
  })

  it('says so when its session is killed', async () => {
    await broker.run(await bundleOf(endless), forMinutes)
    process.kill(await sessionPid(), 'SIGKILL')
    assert.match((await broker.next('session-lost')).reason, /SIGKILL/)
  })

  it('stops the load by itself when its broker stays away, and keeps what it measured', async () => {
    await broker.run(await bundleOf(endless), { ...forMinutes, maxOrphanMs: 3000 })
    const pid = await sessionPid()
    await broker.vanish()
    for (let wait = 0; wait < 200 && !broker.logs.some((line) => line.includes('the load stops')); wait++) {
      await delay(50)
    }
    assert.ok(broker.logs.some((line) => line.includes('no broker for 3 s: the load stops')))
    await broker.agent.stop()
    assert.equal(isAlive(pid), false)
  })

  it('leaves in good order when it is stopped: all that it did is said, and nothing that it did not', async () => {
    await broker.run(await bundleOf(endless), {
      profile: profileOf(hitsPerUser(2, 1000)),
    })
    await sessionPid()
    await broker.next('window')
    await broker.agent.stop()
    while (!broker.said.some(({ type }) => type === 'released')) await delay(20)
    const kinds = broker.said.map(({ type }) => type).filter((type) => type !== 'log')
    assert.equal(kinds.at(-1), 'released')
    assert.ok(!kinds.includes('stage-done'))
    const windows = broker.said.filter((message) => message.type === 'window')
    assert.ok(windows.every(({ final }) => !final))
    const { started, finished, interrupted } = windows.at(-1)!.ledger
    assert.ok(started > 0 && started < 2000)
    assert.equal(finished + interrupted, started)
  })

  it('tells why it cannot run', async () => {
    const bundle = await bundleOf(counting)
    const run = broker.run({ ...bundle, bytes: bundle.bytes.subarray(0, 100) }, {})
    run.catch(() => {})
    const { exitCode, message } = await broker.next('cannot-run')
    assert.equal(exitCode, 4)
    assert.match(message, /the bundle of tests was damaged on its way/)
  })
})
