import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FeedRow } from '@loads-runner/testcase'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { BlockCache } from '../../src/feeds/block-cache.ts'
import { DataFile } from '../../src/feeds/data-file.ts'

describe('feeds/data-file', () => {
  let directory: string
  let opened: DataFile[]
  let files = 0
  before(async () => void (directory = await mkdtemp(join(tmpdir(), 'data-file-'))))
  after(() => rm(directory, { recursive: true }))
  beforeEach(() => void (opened = []))
  afterEach(() => Promise.all(opened.map((file) => file.close())))

  const open = async (name: string, content: string | Buffer, cache = new BlockCache()) => {
    const path = join(directory, `${files++}`)
    await writeFile(path, content)
    const file = await DataFile.open(name, path, cache, 0)
    opened.push(file)
    return file
  }
  const all = async (file: DataFile) => {
    const rows: FeedRow[] = []
    for (let row = 0; row < file.rows; row++) rows.push(await file.row(row))
    return rows
  }
  const refused = (name: string, content: string | Buffer, message: RegExp) =>
    assert.rejects(open(name, content), { name: 'UsageError', message })

  const value = fc.oneof(
    fc.stringMatching(/^[a-z ]{0,8}$/),
    fc.string({ unit: fc.constantFrom('a', 'é', '日', '"', ',', '\n', '\r', ' ', '\t', ';'), maxLength: 8 }),
  )
  const quoted = (text: string, always: boolean) =>
    always || /[",\n\r\t]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text

  it('reads what csv-parse reads of the whole file', async () => {
    const content = fc.record({
      columns: fc.integer({ min: 1, max: 4 }),
      rows: fc.array(fc.tuple(fc.array(value, { minLength: 4, maxLength: 4 }), fc.boolean()), {
        minLength: 1,
        maxLength: 30,
      }),
      end: fc.constantFrom('\n', '\r\n'),
      blank: fc.boolean(),
      bom: fc.boolean(),
      last: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(content, async ({ columns, rows, end, blank, bom, last }) => {
        const header = ['a', 'b', '"c,\n"', 'd'].slice(0, columns).join(',')
        // A row of nothing but an empty plain value is an empty line.
        const lines = rows.map(([values, always]) =>
          values
            .slice(0, columns)
            .map((each) => quoted(each, always || columns === 1))
            .join(','),
        )
        const text =
          (bom ? '\ufeff' : '') + [header, ...lines].join(end + (blank ? end : '')) + (last ? end : '')
        const expected = parse(text, {
          bom: true,
          columns: true,
          record_delimiter: ['\r\n', '\n'],
          skip_empty_lines: true,
        }) as FeedRow[]
        assert.deepEqual(await all(await open('x.csv', text)), expected)
      }),
      { numRuns: 200 },
    )
  })

  const json = fc.array(
    fc.dictionary(
      fc.string({ unit: fc.constantFrom('a', 'b', '"', '\\', '}', '日', '\n'), maxLength: 4 }),
      fc.oneof(
        fc.string({ unit: fc.constantFrom('a', '"', '\\', '{', ']', ',', 'é', '\n'), maxLength: 6 }),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(fc.constantFrom('x', '}', '"'), { maxLength: 3 }),
      ),
      { maxKeys: 4 },
    ),
    { minLength: 1, maxLength: 20 },
  )
  const asText = (row: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(row).map(([key, each]) => [
        key,
        typeof each === 'string'
          ? each
          : each === null
            ? ''
            : Array.isArray(each)
              ? JSON.stringify(each)
              : String(each as number | boolean),
      ]),
    )

  it('reads what JSON.parse reads of an array, and of lines', async () => {
    await fc.assert(
      fc.asyncProperty(json, fc.constantFrom(0, 2), fc.boolean(), async (rows, indent, bom) => {
        const expected = rows.map(asText)
        const array = (bom ? '\ufeff' : '') + JSON.stringify(rows, null, indent)
        assert.deepEqual(await all(await open('x.json', array)), expected)
        const lines = rows
          .map((row) => ' '.repeat(indent) + JSON.stringify(row))
          .join(indent > 0 ? '\r\n\n' : '\n')
        assert.deepEqual(await all(await open('x.ndjson', lines)), expected)
      }),
      { numRuns: 150 },
    )
  })

  it('finds any row of a file of many blocks, in any order, in little memory', async () => {
    const rows = 20_000
    const text = (row: number) => (row % 7 === 0 ? `"row\n${row}, ""quoted"""` : `row ${row}`)
    const lines = Array.from({ length: rows }, (_, row) => `${row},${text(row)},${'x'.repeat(row % 90)}`)
    const cache = new BlockCache(200_000)
    const file = await open('x.csv', ['id,text,more', ...lines, ''].join('\n'), cache)
    assert.equal(file.rows, rows)
    for (let step = 0, row = 0; step < 4000; step++, row = (row + 7919) % rows) {
      assert.deepEqual(await file.row(row), {
        id: String(row),
        text: row % 7 === 0 ? `row\n${row}, "quoted"` : `row ${row}`,
        more: 'x'.repeat(row % 90),
      })
      assert.ok(cache.bytes <= 200_000, `${cache.bytes} bytes`)
    }
  })

  it('gives everybody who asks at once the same block', async () => {
    const file = await open('x.csv', `a\n${Array.from({ length: 1000 }, (_, row) => row).join('\n')}`)
    const rows = await Promise.all(Array.from({ length: 1000 }, async (_, row) => file.row(row)))
    assert.deepEqual(
      rows.map((row) => row['a']),
      Array.from({ length: 1000 }, (_, row) => String(row)),
    )
  })

  it('names file and line of what is malformed', async () => {
    await refused('x.csv', 'a,b\n1,"2\n3,4\n', /^x\.csv:2: a quoted value of this row is never closed$/)
    await refused('x.csv', 'a,a\n1,2', /^x\.csv:1: two columns are called 'a'$/)
    await refused('x.csv', 'a,b\n', /^x\.csv has no rows$/)
    await refused('x.csv', '', /^x\.csv:?.* has no rows$/)
    await refused('x.csv', Buffer.from('\ufeffa,b\n1,2\n', 'utf16le'), /^x\.csv:1: the file is UTF-16/)
    await refused('x.json', '{"a": 1}', /^x\.json:1: the file must hold an array of objects/)
    await refused('x.json', '[{"a": 1},\n 2]', /^x\.json:2: the array must hold objects/)
    await refused('x.json', '[{"a": 1},\n]', /^x\.json:2: the array must hold objects/)
    await refused('x.json', '[{"a": 1}\n{"a": 2}]', /^x\.json:2: a comma or the end of the array/)
    await refused('x.json', '[{"a": 1}]\n\n,', /^x\.json:3: nothing may follow the array/)
    await refused(
      'x.json',
      '[\n{"a": [1}\n',
      /^x\.json:2: this object is never closed|the array is never closed/,
    )
    await refused('x.json', '[]', /^x\.json has no rows$/)
    await refused('x.txt', 'a', /^x\.txt is no data file: its name must end in one of \.csv, \.tsv/)
    const bad = async (name: string, content: string, row: number, message: RegExp) => {
      const file = await open(name, content)
      await assert.rejects(async () => file.row(row), { name: 'UsageError', message })
    }
    await bad('x.csv', 'a,b\n1,2\n"3\n",4\n5\n', 2, /^x\.csv:5: 1 values, but the header names 2 columns$/)
    await bad('x.csv', 'a,b\n1,2\n3,4"5\n', 1, /^x\.csv:3: Invalid Opening Quote/)
    await bad('x.csv', 'a,b\n1,2\n3,"4"5\n', 1, /^x\.csv:3: Invalid Closing Quote/)
    await bad('x.json', '[{"a": 1},\n{"a" 2}]', 1, /^x\.json:2: /)
    await bad('x.jsonl', '{"a": 1}\n\n[]\n', 1, /^x\.jsonl:3: a row must be an object/)
  })

  it('names a file that is not there, and says how files travel', async () => {
    await assert.rejects(DataFile.open('u.csv', join(directory, 'nowhere.csv'), new BlockCache(), 0), {
      name: 'UsageError',
      message: /^no data file u\.csv: .*--include-file/,
    })
    await assert.rejects(DataFile.open('u.csv', directory, new BlockCache(), 0), {
      name: 'UsageError',
      message: /^cannot read u\.csv: EISDIR/,
    })
  })
})
