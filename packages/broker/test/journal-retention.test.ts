import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { specOf } from '@loads-runner/protocol/testing'
import { JournalRetention, type KeepRuns } from '../src/journal-retention.ts'
import { ManualClock } from './support/manual-clock.ts'
import { World } from './support/world.ts'

const dayMs = 24 * 60 * 60 * 1000

describe('journals that are kept', () => {
  let stateDir: string
  let logged: string[]
  const clock = new ManualClock()

  beforeEach(async () => {
    stateDir = await mkdtemp(path.join(tmpdir(), 'loads-retention-'))
    logged = []
  })
  afterEach(() => rm(stateDir, { recursive: true, force: true }))

  const name = (number: number) => `20240101T00000${number}-00000${number}`
  const left = async () => (await readdir(path.join(stateDir, 'runs'))).sort()

  /** Journal number `number`, last written so many days ago. */
  async function keep(number: number, days: number): Promise<void> {
    const directory = path.join(stateDir, 'runs', name(number))
    await mkdir(directory, { recursive: true })
    const file = path.join(directory, 'journal')
    await writeFile(file, '{}\n')
    const at = new Date(clock.now() - days * dayMs)
    await utimes(file, at, at)
  }

  function retention(limits: KeepRuns, active: string[] = [], ended: string[] = []): JournalRetention {
    const log = (_: string, text: string) => void logged.push(text)
    const stateOf = (id: string) =>
      active.includes(id) ? 'active' : ended.includes(id) ? 'ended' : 'unknown'
    return new JournalRetention({ stateDir, keep: limits, clock, log, stateOf })
  }

  it('are those of the last days', async () => {
    for (const [number, days] of [
      [1, 30],
      [2, 7.1],
      [3, 6.9],
      [4, 0],
    ] as const)
      await keep(number, days)
    await retention({ days: 7, runs: null }).prune()
    assert.deepEqual(await left(), [name(3), name(4)])
  })

  it('are the last ones by their last record, and never fewer than asked for by active runs', async () => {
    // The first one went on for the longest time.
    await keep(1, 1)
    await keep(2, 4)
    await keep(3, 3)
    await keep(4, 2)
    await keep(5, 5)
    await retention({ days: null, runs: 2 }, [name(5)]).prune()
    assert.deepEqual(await left(), [name(1), name(4), name(5)])
    await retention({ days: null, runs: 0 }, [name(5)]).prune()
    assert.deepEqual(await left(), [name(5)])
  })

  it('are those that both limits allow', async () => {
    for (let number = 1; number <= 5; number++) await keep(number, 10 - number)
    await retention({ days: 7, runs: 4 }).prune()
    assert.deepEqual(await left(), [name(3), name(4), name(5)])
    await retention({ days: 7, runs: 1 }).prune()
    assert.deepEqual(await left(), [name(5)])
  })

  it('are those that another broker may be writing to, too', async () => {
    for (let number = 1; number <= 3; number++) await keep(number, 0.001 * number)
    await keep(4, 0.01)
    await retention({ days: null, runs: 0 }, [], [name(2)]).prune()
    assert.deepEqual(await left(), [name(1), name(3)])
  })

  it('are all of them without limits; what is no journal stays in any case', async () => {
    await keep(1, 1000)
    await mkdir(path.join(stateDir, 'runs', 'my notes'))
    await retention({ days: null, runs: null }).prune()
    assert.deepEqual(await left(), [name(1), 'my notes'])
    await mkdir(path.join(stateDir, 'runs', name(2)))
    await retention({ days: 1, runs: 0 }).prune()
    assert.deepEqual(await left(), ['my notes'])
    assert.deepEqual(
      logged.every((text) => /its journal was removed/.test(text)),
      true,
    )
  })

  it('are none before the first run, and a directory that cannot be read is said', async () => {
    await retention({ days: 1, runs: 1 }).prune()
    assert.deepEqual(logged, [])
    await writeFile(path.join(stateDir, 'runs'), '')
    await retention({ days: 1, runs: 1 }).prune()
    assert.match(logged.join(), /journals beyond the limits could not be removed: ENOTDIR/)
  })

  it('of a broker are seen to at its start and at the end of each run', async () => {
    await keep(1, 100)
    await keep(2, 50)
    const world = await new World(stateDir, { days: null, runs: 1 }).open()
    assert.deepEqual(await left(), [name(2)])
    const agents = await world.agents(2)
    const going = await world.began([agents[0]!])
    // What is acknowledged is on disk.
    agents[0]!.session().send(agents[0]!.connection)
    await world.until('acknowledged', () => agents[0]!.session().acked === 0)
    assert.equal((await left()).length, 2, 'the journal of a run that goes on')
    const ended: string[] = []
    const console = await world.console()
    agents[1]!.onStop = (session) => session.send(agents[1]!.connection, true)
    for (let count = 0; count < 2; count++) {
      const { runId } = await console.ask({ type: 'submit', spec: specOf() })
      await world.until('finished', () => console.run(runId).summary !== null)
      await world.until('released', () => agents[1]!.types().at(-1) === 'release')
      ended.push(runId)
    }
    await world.close()
    const { runId } = going.snapshot
    assert.deepEqual(await left(), [runId, ended[1]!].sort())
  })
})
