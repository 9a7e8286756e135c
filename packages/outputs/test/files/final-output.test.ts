import assert from 'node:assert/strict'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { createHtml } from '../../src/files/html-output.ts'
import { createJson } from '../../src/files/json-output.ts'
import { createNull, createStdout } from '../../src/files/silent-output.ts'
import { OutputHost } from '../../src/host.ts'
import { fixtureRun, fixtureSummary, namesOf, outputConformance } from '../../src/testing.ts'
import { environmentOf, quickTimes } from '../recording-output.ts'
import { playInto, TemporaryDirectory } from './directory.ts'

describe('files that are written at the end', () => {
  const directory = new TemporaryDirectory()
  beforeEach(async () => {
    await directory.make()
    await mkdir(directory.file('sub'))
  })
  afterEach(() => directory.remove())
  const environment = () => environmentOf({ cwd: directory.path })

  outputConformance('json', {
    // Its directory is gone: what is tried later works.
    troubles: ['broken'],
    countsWarmUp: false,
    start: async () => ({
      output: createJson('sub/f.json', environment()),
      make: async (trouble) => {
        const sub = directory.file('sub')
        if (trouble === null) await mkdir(sub, { recursive: true })
        else await rm(sub, { recursive: true })
      },
      arrived: async () => {
        const text = await directory.read('sub/f.json')
        const { hits } = JSON.parse(text) as { hits: { count: number; failed: number } }
        return { hits: hits.count, failed: hits.failed, times: null, text }
      },
    }),
  })

  it('json is the summary, whole, and leaves nothing else behind', async () => {
    await playInto([createJson('f.json', environment())])
    assert.deepEqual(JSON.parse(await directory.read('f.json')), fixtureSummary())
    assert.deepEqual(await readdir(directory.path), ['f.json', 'sub'])
  })

  it('json leaves the file alone where there is no summary, and says so', async () => {
    await writeFile(directory.file('f.json'), 'before')
    const here = environment()
    const host = new OutputHost({
      outputs: [createJson('f.json', here)],
      environment: here,
      onTrouble: () => {},
      times: quickTimes,
    })
    for (const event of fixtureRun()) if (event.type !== 'finished') host.take(event)
    await host.finish(2_000)
    assert.equal(await directory.read('f.json'), 'before')
    assert.match(here.lines.join('\n'), /ended without a summary/)
  })

  it('html is a page that holds the run and runs nothing of it', async () => {
    const { health, said } = await playInto([createHtml('f.html', environment())], { names: 'hostile' })
    assert.deepEqual(said, [])
    assert.equal(health[0]!.dropped, 0)
    const page = await directory.read('f.html')
    assert.match(page, /^<!doctype html>/i)
    assert.ok(page.includes('fixture-run'))
    assert.ok(!page.includes(namesOf('hostile').test), 'a test is named <script>')
  })

  it('a report that cannot be made is said once, and nothing waits for it', async () => {
    const output = createHtml('f.html', environment())
    const said: string[] = []
    const host = new OutputHost({
      outputs: [output],
      environment: environment(),
      onTrouble: (text) => said.push(text),
      times: quickTimes,
    })
    for (const event of fixtureRun())
      host.take(event.type === 'commit' ? { ...event, delta: new Uint8Array([255]) } : event)
    await host.finish(20_000)
    assert.match(said.find((line) => line.includes('html')) ?? '', /f\.html cannot be made/)
    await assert.rejects(directory.read('f.html'))
  })

  it('null and stdout take nothing, and no arguments', async () => {
    for (const [create, name] of [
      [createNull, 'null'],
      [createStdout, 'stdout'],
    ] as const) {
      const output = create('')
      assert.equal(output.name, name)
      assert.equal(output.wants.size, 0)
      assert.throws(() => create('x'), { code: 'OUTPUT_ARGUMENTS' })
    }
    await rm(directory.path, { recursive: true })
    const { health } = await playInto([createNull('')])
    assert.deepEqual(health, [])
  })
})
