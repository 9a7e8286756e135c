import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readNdjson } from './helpers/figure-files.ts'
import { startServer } from './helpers/own-server.ts'
import { runCli } from './helpers/run-cli.ts'
import { oneHit } from './helpers/shop.ts'
import { sideBySide } from './helpers/side-by-side.ts'
import { temporaryDirectory } from './helpers/temporary.ts'

const load = ['--users', '2', '--iterations', '10']

/** An output that does what is told in `write`, and all the rest right. */
const moduleWith = (method: 'open' | 'write' | 'close', body: string) => `
  class Output {
    name = 'mine'
    wants = new Set(['figures', 'end'])
    spansMs = []
    batch = 10
    async open() {}
    async write() {}
    async close() {}
    async ${method}() { ${body} }
  }
  export const createOutput = () => new Output()`

/** What was said of outputs; a generator may say something of itself. */
const notes = (run: { stdout: string; stderr: string }) =>
  `${run.stdout}\n${run.stderr}`.split('\n').filter((line) => /^warning: .*\boutput\b/.test(line))

describe('outputs of somebody else', function () {
  this.timeout(240_000)

  sideBySide({
    'get every record of the run, from a file and from a package': async () => {
      const target = await startServer()
      const source = `
        import { appendFile } from 'node:fs/promises'
        import { resolve } from 'node:path'
        class Output {
          name = 'mine'
          wants = new Set(['interval', 'figures', 'event', 'end'])
          spansMs = [1000]
          batch = 100
          constructor(file) { this.file = file }
          async open(run) { await this.say({ type: 'open', run: run.runId, names: run.spec.names }) }
          async write(records) {
            for (const record of records) {
              const { type } = record
              if (type === 'figures') {
                let hits = 0
                for (const { key, count } of record.delta.series.values()) if (key.kind === 'http') hits += count
                await this.say({ type, hits })
              } else if (type === 'event') await this.say({ type, event: record.event.type })
              else if (type === 'end') await this.say({ type, verdict: record.summary.verdict })
              else await this.say({ type, at: record.interval.fromMs })
            }
          }
          async close() { await this.say({ type: 'close' }) }
          say(line) { return appendFile(this.file, JSON.stringify(line) + '\\n') }
        }
        export const createOutput = (args, { cwd }) => new Output(resolve(cwd, args))`
      const cwd = await temporaryDirectory({ ...oneHit(target), 'my-output.mjs': source })
      const home = join(cwd, 'node_modules/@shop/output')
      await mkdir(home, { recursive: true })
      await writeFile(
        join(home, 'package.json'),
        '{"name":"@shop/output","type":"module","exports":"./it.js"}',
      )
      await writeFile(join(home, 'it.js'), source)
      const outputs = ['-o', './my-output.mjs:one.ndjson', '-o', '@shop/output:two.ndjson']
      const run = await runCli(['hit', '--agents', '2', ...load, ...outputs], { cwd })
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      for (const name of ['one.ndjson', 'two.ndjson']) {
        const lines = await readNdjson(join(cwd, name))
        assert.deepEqual(lines[0], { type: 'open', run: run.summary!.runId, names: ['hit'] })
        assert.deepEqual(lines.slice(-2), [{ type: 'end', verdict: 'passed' }, { type: 'close' }])
        const hits = lines.reduce((sum, line) => sum + Number(line['hits'] ?? 0), 0)
        assert.equal(hits, 20)
        for (const type of ['interval', 'event'])
          assert.ok(
            lines.some((line) => line['type'] === type),
            type,
          )
      }
    },

    'are refused before any load where that can be known': async () => {
      const target = await startServer()
      const cwd = await temporaryDirectory({
        ...oneHit(target),
        'empty.mjs': 'export const nothing = 1',
        'broken.mjs': 'this is no JavaScript',
        'throws.mjs': `export default () => { throw new Error('no disk of mine') }`,
        'shape.mjs': `export default () => ({ name: 'x', wants: ['end'], batch: 0, open() {} })`,
        'number.mjs': 'export default () => 7',
      })
      const cases: [string, RegExp][] = [
        ['./nowhere.mjs', /output module \.\/nowhere\.mjs cannot be loaded: .*nowhere\.mjs/],
        ['./empty.mjs', /has no function createOutput\(args, environment\)/],
        ['./broken.mjs', /output module \.\/broken\.mjs cannot be loaded: /],
        ['./throws.mjs', /threw when its output was made: no disk of mine/],
        [
          './shape.mjs',
          /wants must be a Set of .*; spansMs must be .*; batch .*; write must be .*; close must be/,
        ],
        ['./number.mjs', /made no output but something of type number/],
        ['npm:not-there', /is not installed in .*; run npm install not-there there/],
      ]
      await Promise.all(
        cases.map(async ([output, message]) => {
          const run = await runCli(['hit', '-o', output], { cwd, json: false })
          assert.equal(run.exitCode, 2, `${output}: ${run.stdout}${run.stderr}`)
          assert.match(run.stderr, message)
          assert.doesNotMatch(run.stderr, /^ +at /m, 'no stack: it is not ours')
        }),
      )
      assert.equal(target.seen.length, 0)
    },

    'that throw in open, in write, in close or anywhere cost the run nothing': async () => {
      const target = await startServer()
      const files = {
        ...oneHit(target),
        'open.mjs': moduleWith('open', `throw new Error('cannot open')`),
        'write.mjs': moduleWith('write', `throw new Error('cannot write')`),
        'close.mjs': moduleWith('close', `throw new Error('cannot close')`),
        'stray.mjs': moduleWith('write', `void Promise.reject(new Error('astray'))`),
        'timer.mjs': moduleWith('open', `setTimeout(() => { throw new Error('late') }, 10)`),
        // Not even a promise.
        'sync.mjs': moduleWith('write', '').replace('async write() {  }', `write() { throw 'at once' }`),
      }
      const cases = [
        ['open', /does not work: cannot open; .*\n.*: [1-9]\d* of \d+ records? lost \(cannot open\)/],
        ['write', /does not work: cannot write; .*\n.*: [1-9]\d* of \d+ records? lost \(cannot write\)/],
        ['sync', /does not work: at once; .*\n.*: [1-9]\d* of \d+ records? lost \(at once\)/],
        ['close', /closing it failed: cannot close/],
        ['stray', /nothing awaits this error, of an output module perhaps: Error: astray/],
        ['timer', /nothing awaits this error, of an output module perhaps: Error: late/],
      ] as const
      const story = async ([name, wanted]: (typeof cases)[number]) => {
        const run = await runCli(['hit', ...load, '-o', `./${name}.mjs`, '-o', 'json:s.json'], {
          files,
          timeoutMs: 60_000,
        })
        assert.equal(run.exitCode, 0, run.stdout + run.stderr)
        assert.equal(run.summary!.hits.count, 20)
        assert.match(notes(run).join('\n'), wanted)
      }
      await Promise.all(cases.map(story))
    },

    'that hang for ever are left behind at the end': async () => {
      const target = await startServer()
      const files = {
        ...oneHit(target),
        'open.mjs': moduleWith('open', 'await new Promise(() => setInterval(() => {}, 1000))'),
        'write.mjs': moduleWith('write', 'await new Promise(() => setInterval(() => {}, 1000))'),
        'close.mjs': moduleWith('close', 'await new Promise(() => setInterval(() => {}, 1000))'),
      }
      const outputs = ['open', 'write', 'close'].flatMap((name) => ['-o', `./${name}.mjs`])
      const startedAt = performance.now()
      const run = await runCli(['hit', ...load, ...outputs], { files, timeoutMs: 60_000 })
      const seconds = (performance.now() - startedAt) / 1000
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      assert.equal(run.summary!.hits.count, 20)
      // 15 s to write what is left, together: one after the other that were 45.
      assert.ok(seconds < 44, `${seconds} s`)
      const said = notes(run)
      assert.equal(said.filter((line) => /records? lost/.test(line)).length, 2, said.join('\n'))
      assert.ok(said.some((line) => line.includes('it did not close in time')))
    },
  })
})
