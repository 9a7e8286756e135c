import assert from 'node:assert/strict'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { EngineError } from '../src/errors.ts'
import { namedFiles } from '../src/named-files.ts'

describe('named-files', () => {
  let testDir: string
  beforeEach(async () => {
    testDir = await realpath(await mkdtemp(join(tmpdir(), 'named-files-')))
  })
  afterEach(() => rm(testDir, { recursive: true }))

  /** The files that the modules (those that end in .ts) name: path in the bundle to path below the test directory. */
  const named = async (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(testDir, name)), { recursive: true })
      await writeFile(join(testDir, name), text)
    }
    const modules = Object.keys(files).filter((name) => name.endsWith('.ts'))
    const found = await namedFiles(
      testDir,
      modules.map((name) => join(testDir, name)),
    )
    return Object.fromEntries(found.map(({ path, file }) => [path, file.slice(testDir.length + 1)]))
  }
  const refused = (files: Record<string, string>, ...messages: RegExp[]) =>
    assert.rejects(named(files), (error: EngineError) => {
      assert.equal(error.exitCode, 3)
      assert.equal(error.code, 'FILE_NOT_FOUND')
      for (const message of messages) assert.match(error.message, message)
      return true
    })

  it('finds names however they are written, and in no comment', async () => {
    const source = `
type Row = { id: string }
// this.feed('comment.csv')
/* this.feed("comment.csv") */
class A {
  async test(this: any) {
    await this.feed('a.csv', { mode: 'unique' }); await this . feed <Row> (\`b.csv\`)
    await (this as any).feed(
      // which
      "it's.csv", // this one
    )
    await this.feed('é' + '.csv')
    await this.feed(\`users-\${this.user}.csv\`)
    throw new Error('say this.feed("text.csv") instead')
  }
}`
    const data = { 'a.csv': '', 'b.csv': '', "it's.csv": '', 'é.csv': '' }
    const found = await named({ 'a.ts': source.replace('"text.csv"', 'it'), ...data })
    assert.deepEqual(found, { 'a.csv': 'a.csv', 'b.csv': 'b.csv', "it's.csv": "it's.csv", 'é.csv': 'é.csv' })
  })

  it('takes a file of the test directory before one beside the module', async () => {
    const found = await named({
      'sub/a.ts': `this.feed('both.csv'); this.feed('beside.csv'); this.feed('sub/beside.csv')`,
      'both.csv': '',
      'sub/both.csv': '',
      'sub/beside.csv': '',
    })
    assert.deepEqual(found, {
      'both.csv': 'both.csv',
      'beside.csv': 'sub/beside.csv',
      'sub/beside.csv': 'sub/beside.csv',
    })
  })

  it('follows the imports of protocol files', async () => {
    const found = await named({
      'a.ts': `this.grpc('api/greeter.proto', { service: 'Greeter' })`,
      'api/greeter.proto': `
        syntax = "proto3";
        import "types.proto"; // import "not-this.proto";
        import public "common/base.proto";
        import "google/protobuf/empty.proto";
        /* import "nor-this.proto"; */`,
      'api/types.proto': 'import "common/base.proto";',
      'common/base.proto': 'import "api/greeter.proto";',
    })
    assert.deepEqual(found, {
      'api/greeter.proto': 'api/greeter.proto',
      'api/types.proto': 'api/types.proto',
      'common/base.proto': 'common/base.proto',
    })
  })

  it('looks for imports where the call says', async () => {
    const found = await named({
      'a.ts': `this.grpc('a.proto', 'A', { address: 'x:1', includeDirs: ['lib', "more/lib"] }); this.grpc('b.proto', 'B')`,
      'a.proto': 'import "one.proto";',
      'b.proto': '',
      'more/lib/one.proto': 'import "two.proto";',
      'lib/two.proto': '',
    })
    assert.deepEqual(Object.keys(found).sort(), ['a.proto', 'b.proto', 'lib/two.proto', 'more/lib/one.proto'])
  })

  it('names each place of a file that is not there', async () => {
    await refused(
      {
        'a.ts': `class A {\n  test() {\n    this.feed('nowhere.csv')\n    return this.grpc('no.proto')\n  }\n}`,
        'sub/b.ts': `\n\nthis.feed('nor-here.csv', { mode: 'random' })`,
      },
      /^files that the tests name are not there$/m,
      /^ {2}a\.ts:3:9: this\.feed\('nowhere\.csv'\): no such file in \S+$/m,
      /^ {2}a\.ts:4:16: this\.grpc\('no\.proto'\)/m,
      /^ {2}sub\/b\.ts:3:5: this\.feed\('nor-here\.csv'\): no such file in \S+ or in \S+sub$/m,
    )
    await refused(
      { 'a.ts': `this.grpc('a.proto')`, 'a.proto': 'import "gone.proto";' },
      /a\.ts:1:5: a\.proto imports gone\.proto: no such file beside it or in/,
    )
  })

  it('refuses names that leave the test directory and names that mean two files', async () => {
    await refused(
      { 'a.ts': `this.feed('../users.csv')` },
      /a file outside the test directory does not travel/,
    )
    await refused(
      { 'x/a.ts': `this.feed('u.csv')`, 'y/b.ts': `this.feed('u.csv')`, 'x/u.csv': '', 'y/u.csv': '' },
      /y\/b\.ts:1:5: 'u\.csv' means \S+y\/u\.csv here and \S+x\/u\.csv elsewhere \(named at x\/a\.ts:1:5\)/,
    )
  })

  it('leaves absolute names, and what other objects are fed with, alone', async () => {
    assert.deepEqual(await named({ 'a.ts': `this.feed('/data/users.csv'); parser.feed('some text')` }), {})
    assert.deepEqual(await named({ 'a.ts': `test.feed('a.csv')`, 'a.csv': '' }), { 'a.csv': 'a.csv' })
  })
})
