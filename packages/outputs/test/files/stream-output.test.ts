import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createCsv } from '../../src/files/csv-output.ts'
import { GrowingFile } from '../../src/files/growing-file.ts'
import { createNdjson } from '../../src/files/ndjson-output.ts'
import { OutputHost } from '../../src/host.ts'
import { fixtureRun } from '../../src/testing.ts'
import { enoughMs, environmentOf, quickTimes } from '../recording-output.ts'
import { TemporaryDirectory } from './directory.ts'

describe('files that grow with the run', () => {
  const directory = new TemporaryDirectory()
  beforeEach(() => directory.make())
  afterEach(() => directory.remove())

  it('a full disk is said and counted, and nobody else notices', async function () {
    if (!existsSync('/dev/full')) {
      assert.ok(process.env.CI === undefined, 'there is no /dev/full: this must run where there is one')
      console.warn('      skipped: there is no /dev/full here, so that no disk is ever full')
      return this.skip()
    }
    const here = environmentOf({ cwd: directory.path })
    const said: string[] = []
    const outputs = [createCsv('/dev/full', here), createNdjson('f.ndjson', here)]
    const host = new OutputHost({
      outputs,
      environment: here,
      onTrouble: (text) => said.push(text),
      times: quickTimes,
    })
    for (const event of fixtureRun()) host.take(event)
    // The bad one has failed and the good one is through before the time at the end begins.
    const goesOn = () => host.health()[0]!.retries === 0 || host.health()[1]!.waiting > 0
    while (goesOn()) await new Promise((resolve) => setTimeout(resolve, 5))
    const [full, good] = await host.finish(1_000)
    assert.match(full!.trouble!, /ENOSPC/)
    assert.ok(full!.dropped > 0 && full!.written === 0)
    assert.equal(said.filter((line) => line.startsWith('output csv does not work')).length, 1)
    const loss = said.findLast((line) => line.startsWith('output csv'))
    assert.match(loss!, /^output csv: \d+ of \d+ records lost \(.*ENOSPC/)
    assert.equal(good!.dropped, 0)
    assert.match(await directory.read('f.ndjson'), /"type":"summary"/)
  })

  it('begins as soon as its directory is there', async () => {
    const here = environmentOf({ cwd: directory.path })
    const output = createCsv('sub/f.csv', here)
    const host = new OutputHost({
      outputs: [output],
      environment: here,
      onTrouble: () => {},
      times: quickTimes,
    })
    for (const event of fixtureRun()) host.take(event)
    await mkdir(directory.file('sub'))
    const [health] = await host.finish(enoughMs)
    assert.equal(health!.dropped, 0)
    assert.match(await directory.read('sub/f.csv'), /^at,elapsed,/)
  })

  it('a piece that was not written whole is as if it had not been written', async () => {
    const file = new GrowingFile(directory.file('f'))
    const { signal } = new AbortController()
    await writeFile(directory.file('f'), 'of an earlier run')
    await file.open()
    await file.append('one\n', signal)
    await assert.rejects(file.append('two\n', AbortSignal.abort(new Error('too long'))), /too long/)
    await file.append('two\n', signal)
    await file.close()
    await file.close()
    assert.equal(await directory.read('f'), 'one\ntwo\n')
  })
})
