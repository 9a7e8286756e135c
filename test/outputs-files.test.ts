import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Summary } from '@loads-runner/metrics'
import { readReport } from './helpers/figure-files.ts'
import { smallDisk } from './helpers/small-disk.ts'
import { startServer } from './helpers/own-server.ts'
import { runCli } from './helpers/run-cli.ts'
import { oneHit } from './helpers/shop.ts'
import { temporaryDirectory } from './helpers/temporary.ts'

const few = ['--users', '2', '--iterations', '10']

/** Lines that begin like this, of all that a run says. */
const saidOf = ({ stdout, stderr }: { stdout: string; stderr: string }, word: string) =>
  `${stdout}\n${stderr}`.split('\n').filter((line) => line.startsWith(`${word}: `))

describe('outputs that are files', function () {
  this.timeout(240_000)

  it('on a full device cost the run nothing; that is said once, with what was lost', async () => {
    const target = await startServer()
    const outputs = ['csv:/dev/full', 'ndjson:/dev/full'].flatMap((output) => ['-o', output])
    // Two files of the same name would be refused: each has its own run.
    const [csv, ndjson] = await Promise.all(
      [outputs.slice(0, 2), outputs.slice(2)].map((output) =>
        runCli(['hit', ...few, ...output], { files: oneHit(target), timeoutMs: 60_000 }),
      ),
    )
    for (const [name, run] of [
      ['csv', csv!],
      ['ndjson', ndjson!],
    ] as const) {
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      assert.equal(run.summary!.hits.count, 20)
      const [begun, lost, ...more] = saidOf(run, 'warning').filter((line) => line.includes(' output '))
      assert.match(begun!, new RegExp(`^warning: output ${name} does not work: .*ENOSPC`))
      assert.match(lost!, new RegExp(`^warning: output ${name}: [1-9]\\d* of \\d+ records? lost \\(.*ENOSPC`))
      assert.deepEqual(more, [])
      // The results that everybody has are written all the same.
      const { model } = await readReport(join(run.directory, 'results/latest/report.html'))
      assert.equal(model.totals.hits, 20)
    }
  })

  it('that a disk has no room for in the end keep whole lines, and the run its results', async function () {
    const disk = await smallDisk(64)
    if (disk === null) return this.skip()
    const target = await startServer((_request, response) => void setTimeout(() => response.end('{}'), 20))
    const files = {
      'many.ts': `
        import { TestCase } from 'loads-runner'
        export class TestMany extends TestCase {
          async test_many() {
            await this.session.get('${target.url}/', { name: this.user + '-' + this.iteration + ' name'.repeat(40) })
          }
        }`,
    }
    const run = await runCli(['many', '--users', '4', '--iterations', '150', '-o', `csv:${disk}/f.csv`], {
      files,
      timeoutMs: 60_000,
    })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.equal(run.summary!.hits.count, 600)
    const told = saidOf(run, 'warning').filter((line) => line.includes('ENOSPC'))
    assert.equal(told.length, 2, `${run.stdout}${run.stderr}${(await stat(join(disk, 'f.csv'))).size}`)
    const text = await readFile(join(disk, 'f.csv'), 'utf8')
    assert.ok(text.length > 0 && text.length <= 65_536)
    assert.ok(text.endsWith('\n'), 'no half of a line')
  })

  it('and results for others make the exit code 4 where they cannot be written at the end', async () => {
    const target = await startServer()
    const cwd = await temporaryDirectory(oneHit(target))
    await symlink('/dev/full', join(cwd, 'full'))
    const outputs = ['-o', 'json:full', '-o', 'junit:/dev/full']
    const run = await runCli(['hit', ...few, ...outputs], { cwd, timeoutMs: 60_000 })
    assert.equal(run.exitCode, 4, run.stdout + run.stderr)
    assert.equal(run.summary!.verdict, 'passed')
    assert.match(run.stdout, /^Hits: 20$/m)
    assert.deepEqual(
      saidOf(run, 'error').map((line) => line.replace(/: ENOSPC.*/, ': ENOSPC')),
      ['error: the output json was not written: ENOSPC', 'error: the output junit was not written: ENOSPC'],
    )
  })

  it('are refused before any load where they cannot be meant', async () => {
    const target = await startServer()
    const cwd = await temporaryDirectory(oneHit(target))
    await mkdir(join(cwd, 'directory'))
    await writeFile(join(cwd, 'file'), '')
    const cases: [outputs: string[], message: RegExp][] = [
      [['csv:nowhere/f.csv'], /there is no directory .*\/nowhere; create it first/],
      [['html:directory'], /it is a directory; name a file in it/],
      [['json:file/f.json'], /file is not a directory/],
      [['csv'], /csv needs a file: csv:FILE/],
      [['csv:same', 'ndjson:./same'], /csv:same and ndjson:\.\/same would write the same file/],
      [['json:s.json', `junit:${join(cwd, 's.json')}`], /would write the same file; give each its own/],
      [['html:own.json', '--json', 'own.json'], /--json and html:own\.json would write the same file/],
      [['prometeus:f'], /there is no output "prometeus"; did you mean prometheus\?/],
      [['influx:localhost'], /output influx: .* write influx:http/],
      [['prometheus:localhost:99999'], /output prometheus: .* is no address; write prometheus:HOST:PORT/],
      [['statsd:'], /statsd.* needs a host/],
    ]
    for (const [outputs, message] of cases) {
      const args = outputs.flatMap((each, at) =>
        each.startsWith('--') || outputs[at - 1] === '--json' ? [each] : ['-o', each],
      )
      const run = await runCli(['hit', ...few, ...args], { cwd, json: false })
      assert.equal(run.exitCode, 2, `${outputs.join()}: ${run.stdout}${run.stderr}`)
      assert.match(run.stderr, message)
    }
    // All that is wrong is said at once.
    const both = await runCli(['hit', '-o', 'csv:no/f', '-o', 'json:nor/f'], { cwd, json: false })
    assert.equal(both.exitCode, 2)
    assert.match(both.stderr, /\/no; create[^]*\/nor; create/)
    assert.equal(target.seen.length, 0)
    assert.deepEqual((await readdir(cwd)).toSorted(), ['directory', 'file', 'hit.ts', 'node_modules'])
  })

  it('may be the same for many runs: the last one stays', async () => {
    const target = await startServer()
    const cwd = await temporaryDirectory(oneHit(target))
    const outputs = ['json:s.json', 'junit:s.xml', 'csv:s.csv', 'html:s.html'].flatMap((each) => ['-o', each])
    for (const count of [30, 10]) {
      const run = await runCli(['hit', '--iterations', String(count), ...outputs], { cwd })
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      const kept = JSON.parse(await readFile(join(cwd, 's.json'), 'utf8')) as Summary
      assert.deepEqual(kept, run.summary)
      assert.equal((await readReport(join(cwd, 's.html'))).model.totals.hits, count)
    }
    assert.deepEqual(
      (await readdir(cwd)).filter((name) => name.startsWith('s.')).toSorted(),
      ['s.csv', 's.html', 's.json', 's.xml'],
      'nothing is left of how they were written',
    )
  })
})
