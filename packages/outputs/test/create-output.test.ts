import assert from 'node:assert/strict'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { checkOutput, checkOutputs, createOutput } from '../src/create-output.ts'
import { OutputError } from '../src/errors.ts'
import { OutputHost } from '../src/host.ts'
import { parseOutput } from '../src/request.ts'
import { fixtureRun } from '../src/testing.ts'
import { TemporaryDirectory } from './files/directory.ts'
import { environmentOf, quickTimes } from './recording-output.ts'

const working = `
export function createOutput(args, environment) {
  const name = 'mine'
  return {
    name, wants: new Set(['end']), spansMs: [], batch: 1,
    open: async () => {}, close: async () => {},
    write: async (records) => environment.log('info', args + ' ' + records.length),
  }
}`

describe('createOutput and checkOutput', () => {
  const directory = new TemporaryDirectory()
  beforeEach(() => directory.make())
  afterEach(() => directory.remove())
  const here = () => environmentOf({ cwd: directory.path })
  const check = (text: string) => checkOutput(parseOutput(text), here())
  const create = (text: string) => createOutput(parseOutput(text), here())

  it('refuses files that cannot be written, and writes none', async () => {
    await writeFile(directory.file('file'), '')
    await mkdir(directory.file('dir'))
    const cases: [string, RegExp][] = [
      ['csv', /csv needs a file: csv:FILE/],
      ['json:', /json needs a file/],
      ['ndjson:-', /ndjson needs a file/],
      ['junit:dir', /it is a directory; name a file in it/],
      ['csv:nowhere/f.csv', /there is no directory .*nowhere; create it first/],
      ['csv:file/f.csv', /not a directory/],
      ['null:x', /takes no arguments/],
    ]
    for (const [text, message] of cases)
      await assert.rejects(check(text), { code: 'OUTPUT_ARGUMENTS', message }, text)
    await check('csv:f.csv')
    await check(`csv:${directory.file('dir/f.csv')}`)
    await assert.rejects(directory.read('f.csv'), { code: 'ENOENT' })
  })

  // Root may write everywhere: there is no such directory for it.
  const mayWriteAll = process.getuid?.() === 0
  if (!mayWriteAll)
    it('refuses a directory that it may not write', async () => {
      await mkdir(directory.file('locked'))
      await chmod(directory.file('locked'), 0o500)
      await assert.rejects(check('csv:locked/f.csv'), { code: 'OUTPUT_ARGUMENTS', message: /EACCES/ })
    })

  it('lets no two outputs write the same file', async () => {
    const both = ['csv:f', `ndjson:${directory.file('f')}`].map(parseOutput)
    await assert.rejects(checkOutputs(both, here()), {
      code: 'OUTPUT_ARGUMENTS',
      message: /would write the same file/,
    })
    await checkOutputs(['csv:f', 'ndjson:g', 'stdout'].map(parseOutput), here())
  })

  it('refuses addresses and variables of servers without asking them', async () => {
    for (const text of [
      'statsd:',
      'webhook:nowhere',
      'influx:',
      'influx2:http://127.0.0.1:1/o/b',
      'otlp:',
      'prometheus:',
    ])
      await assert.rejects(check(text), { code: 'OUTPUT_ARGUMENTS' }, text)
    await check('statsd:127.0.0.1:1')
    await check('webhook:http://127.0.0.1:1/')
  })

  it('loads a file, its default export too, and hands arguments over', async () => {
    await writeFile(directory.file('mine.mjs'), working)
    await writeFile(
      directory.file('other.mjs'),
      `export default ${working.replace('export ', 'async ').trim().replace('function createOutput', 'function')}`,
    )
    for (const text of ['./mine.mjs:some:args', './other.mjs:some:args']) {
      const environment = here()
      const output = await createOutput(parseOutput(text), environment)
      const host = new OutputHost({ outputs: [output], environment, onTrouble: () => {}, times: quickTimes })
      for (const event of fixtureRun()) host.take(event)
      await host.finish(5_000)
      assert.deepEqual(environment.lines, ['some:args 1'])
    }
  })

  it('finds packages from the working directory, those for import only too', async () => {
    const packages: [string, object][] = [
      ['@scope/classic', { main: './index.mjs' }],
      ['modern', { exports: './index.mjs' }],
      [
        'conditional',
        { type: 'module', exports: { '.': { types: './x.d.ts', import: { default: './index.mjs' } } } },
      ],
    ]
    for (const [name, fields] of packages) {
      await mkdir(directory.file(`node_modules/${name}`), { recursive: true })
      await writeFile(
        directory.file(`node_modules/${name}/package.json`),
        JSON.stringify({ name, ...fields }),
      )
      await writeFile(directory.file(`node_modules/${name}/index.mjs`), working)
      assert.equal((await create(name.startsWith('@') ? name : `npm:${name}`)).name, 'mine')
    }
  })

  it('says what is wrong with a module', async () => {
    const cases: [string, string, RegExp][] = [
      ['none.mjs', 'export const a = 1', /has no function createOutput/],
      ['broken.mjs', 'export default (', /cannot be loaded/],
      [
        'throws.mjs',
        'export default () => { throw new Error("no luck") }',
        /threw when its output was made: no luck/,
      ],
      ['number.mjs', 'export default () => 7', /made no output but something of type number/],
      [
        'half.mjs',
        'export default () => ({ name: "", wants: ["end"], spansMs: [500], batch: 0, write() {} })',
        /name must be a text; wants must be a Set of interval, .*; spansMs must .*; batch must .*; open must .*; close must/,
      ],
    ]
    for (const [file, text, message] of cases) {
      await writeFile(directory.file(file), text)
      await assert.rejects(check(`./${file}`), { code: 'OUTPUT_MODULE', message }, file)
    }
    await assert.rejects(check('./missing.mjs'), { code: 'OUTPUT_MODULE', message: /cannot be loaded/ })
    await assert.rejects(check('npm:missing'), {
      code: 'OUTPUT_MODULE',
      message: /is not installed in .*; run npm install missing/,
    })
  })

  it('passes on what a module says about its arguments', async () => {
    const text = `export default () => { const e = new Error('give a port'); e.code = 'OUTPUT_ARGUMENTS'; throw e }`
    await writeFile(directory.file('picky.mjs'), text)
    await assert.rejects(check('./picky.mjs'), (error: unknown) => {
      assert.ok(error instanceof OutputError && error.message.endsWith('give a port'))
      assert.equal(error.code, 'OUTPUT_ARGUMENTS')
      return true
    })
  })
})
