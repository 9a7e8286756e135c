import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { bundleTests, type EngineError } from '@loads-runner/engine'
import { readBundle } from '../src/bundle-archive.ts'
import { runSession } from './helpers/run-session.ts'

const simple = `
import { TestCase } from '@loads-runner/testcase'
export class TestA extends TestCase {
  static weights = { test_two: 3 }
  async test_one() {}
  async test_two() {}
  async helper() {}
}
export class TestB extends TestCase { async testThree() {} }
export class NotATest { async test_four() {} }`

describe('bundle', () => {
  let testDir: string
  beforeEach(async () => {
    testDir = await mkdtemp(join(tmpdir(), 'bundle-'))
  })
  afterEach(() => rm(testDir, { recursive: true }))

  const bundle = async (files: Record<string, string>, ...names: string[]) => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(testDir, name)), { recursive: true })
      await writeFile(join(testDir, name), text)
    }
    return bundleTests({ testDir, names, includeFiles: [], external: [] })
  }
  const fails = (promise: Promise<unknown>, exitCode: number, pattern: RegExp) =>
    assert.rejects(promise, (error: EngineError) => {
      assert.match(error.message, pattern)
      assert.equal(error.exitCode, exitCode)
      return true
    })

  it('finds every test of a module, of a class, and one method', async () => {
    const labels = async (name: string) =>
      (await bundle({ 'example.ts': simple }, name)).tests.map((test) => `${test.label}*${test.weight}`)
    assert.deepEqual(await labels('example'), ['TestA.test_one*1', 'TestA.test_two*3', 'TestB.testThree*1'])
    assert.deepEqual(await labels('example.TestB'), ['TestB.testThree*1'])
    assert.deepEqual(await labels('example.TestA.test_one'), ['TestA.test_one*1'])
  })

  it('names the nearest class and method', async () => {
    await fails(
      bundle({ 'example.ts': simple }, 'example.TsetA'),
      3,
      /no test class 'TsetA'.*did you mean TestA/,
    )
    await fails(bundle({ 'example.ts': simple }, 'example.TestA.test_on'), 3, /did you mean test_one/)
  })

  it('refuses weights that mean nothing', async () => {
    const weights = (value: string) => simple.replace('{ test_two: 3 }', value)
    await fails(
      bundle({ 'example.ts': weights('{ test_two: 0.5 }') }, 'example'),
      3,
      /weights\.test_two: 0\.5/,
    )
    await fails(bundle({ 'example.ts': weights('{ test_twoo: 3 }') }, 'example'), 3, /did you mean test_two/)
  })

  it('gives file, line and column of a syntax error, a missing module and a module that throws', async () => {
    await fails(bundle({ 'a.ts': 'let x = ;' }, 'a'), 3, /a\.ts:1:9/)
    await fails(
      bundle({ 'a.ts': `import x from './nowhere.ts'; console.log(x)` }, 'a'),
      3,
      /a\.ts:1:15: Could not resolve/,
    )
    await fails(
      bundle({ 'a.ts': `\nconst n: number = 1\nthrow new Error('at load ' + n)` }, 'a'),
      3,
      /at load 1[^]*a\.ts:3:7/,
    )
  })

  it('keeps classes of one name in two modules apart', async () => {
    const files = { 'a.ts': simple, 'b.ts': simple }
    const { tests } = await bundle(files, 'a.TestB', 'b.TestB')
    assert.deepEqual(
      tests.map((test) => test.label),
      ['a.TestB.testThree', 'b.TestB.testThree'],
    )
  })

  it('takes plain JavaScript, CommonJS and a default export', async () => {
    await writeFile(join(testDir, 'package.json'), '{"type":"commonjs"}')
    const common = `const { TestCase } = require('@loads-runner/testcase'); class TestC extends TestCase { test_c() {} }; module.exports = { TestC }`
    assert.equal((await bundle({ 'c.js': common }, 'c')).tests[0]!.label, 'TestC.test_c')
    const fallback = `import { TestCase } from '@loads-runner/testcase'; export default class TestD extends TestCase { test_d() {} }`
    assert.equal((await bundle({ 'd.mjs': fallback }, 'd')).tests[0]!.label, 'TestD.test_d')
  })

  it('says which included file is missing', async () => {
    await fails(
      bundleTests({ testDir, names: [], includeFiles: ['nothing.csv'], external: [] }),
      2,
      /nothing\.csv/,
    )
  })

  it('ships the files that tests name, and says where one is missing', async () => {
    const source = `
import { TestCase } from '@loads-runner/testcase'
export class TestA extends TestCase { async test_one() { await this.feed('data/users.csv') } }`
    await fails(
      bundle({ 'example.ts': source }, 'example'),
      3,
      /example\.ts:3:\d+: this\.feed\('data\/users\.csv'\)/,
    )
    const { bytes } = await bundle({ 'data/users.csv': 'a\n1\n' }, 'example')
    const { files } = readBundle(bytes)
    assert.equal(Buffer.from(files.find(({ path }) => path === 'data/users.csv')!.bytes).toString(), 'a\n1\n')
  })

  it('refuses more data than a session can unpack, before it is read', async () => {
    await writeFile(join(testDir, 'small.csv'), 'a\n')
    await writeFile(join(testDir, 'large.csv'), '')
    await truncate(join(testDir, 'large.csv'), 2 * 1024 ** 3)
    await fails(
      bundleTests({ testDir, names: [], includeFiles: ['*.csv'], external: [] }),
      2,
      /have 2048 MiB, 1024 MiB is the most \(largest: large\.csv, 2048 MiB\)/,
    )
  })

  it('lets tests read files beside them and import JSON, and knows where a module stood', async () => {
    const run = await runSession({
      files: {
        'data.json': '{"n": 5}',
        'users.csv': 'ann,bob',
        'example.ts': `
import { readFile } from 'node:fs/promises'
import { TestCase } from '@loads-runner/testcase'
import data from './data.json'
export class TestFiles extends TestCase {
  async test_a() {
    this.assertEqual(data.n, 5)
    this.assertEqual(await readFile(new URL('./users.csv', import.meta.url), 'utf8'), 'ann,bob')
    const { late } = await import('./late.ts')
    this.assertEqual(late, 'yes')
  }
}`,
        'late.ts': `export const late: string = 'yes'`,
      },
      includeFiles: ['users.csv'],
    })
    assert.equal(run.aggregate.tests().successes, 1)
  })
})
