import assert from 'node:assert/strict'
import { appendFile, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { EventLogWriter, readEventLog } from '../src/event-log.ts'

async function readAll(file: string): Promise<unknown[]> {
  const records: unknown[] = []
  for await (const record of readEventLog(file)) records.push(record)
  return records
}

describe('event log', () => {
  let dir: string
  let file: string

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'loads-log-'))
    file = join(dir, 'events')
  })

  afterEach(() => rm(dir, { recursive: true }))

  it('gives back any records in order, with their bytes', async () => {
    const key = fc
      .oneof(fc.string(), fc.constantFrom('$bytes', '$$bytes', '$'))
      .filter((name) => name !== '__proto__')
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constant(null),
        fc.boolean(),
        fc.integer(),
        fc.string({ unit: 'binary' }),
        fc.uint8Array(),
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
      ),
    }))
    let number = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ value }, { noNullPrototype: true }), { maxLength: 20 }),
        async (records) => {
          const name = join(dir, `log-${number++}`)
          const log = await EventLogWriter.open(name, { sync: false })
          await Promise.all(records.map((record) => log.append(record)))
          await log.close()
          assert.deepEqual(await readAll(name), records)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('is one JSON text per line, bytes as base64, for the owner only', async () => {
    const log = await EventLogWriter.open(file, { sync: true })
    await log.append({ type: 'a', delta: Buffer.from('hello'), text: 'two\nlines' })
    await log.append({ type: 'b' })
    await log.close()
    assert.equal(
      await readFile(file, 'utf8'),
      '{"type":"a","delta":{"$bytes":"aGVsbG8="},"text":"two\\nlines"}\n{"type":"b"}\n',
    )
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.equal(log.size, (await stat(file)).size)
  })

  it('keeps the order of appends that do not wait for each other', async () => {
    const log = await EventLogWriter.open(file, { sync: false })
    const appends: Promise<void>[] = []
    for (let i = 0; i < 2_000; i++) {
      appends.push(log.append({ i, padding: 'x'.repeat(i) }))
      if (i % 100 === 0) await appends.at(-1)
    }
    await log.close()
    await Promise.all(appends)
    assert.deepEqual(
      (await readAll(file)).map((record) => (record as { i: number }).i),
      Array.from({ length: 2_000 }, (_, i) => i),
    )
  })

  it('continues an existing log, after cutting off a torn line', async () => {
    const first = await EventLogWriter.open(file, { sync: false })
    await first.append({ n: 1 })
    await first.append({ n: 2, long: 'x'.repeat(200_000) })
    await first.close()
    const whole = await readFile(file)
    for (const torn of ['{"n":3,"to', '{"n":3}', 'x'.repeat(300_000)]) {
      await writeFile(file, whole)
      await appendFile(file, torn)
      assert.equal((await readAll(file)).length, 2)
      const next = await EventLogWriter.open(file, { sync: false })
      await next.append({ n: 4 })
      await next.close()
      assert.deepEqual(
        (await readAll(file)).map((record) => (record as { n: number }).n),
        [1, 2, 4],
      )
    }
  })

  it('reads every prefix of a log as its complete records', async () => {
    const log = await EventLogWriter.open(file, { sync: false })
    for (let n = 0; n < 5; n++) await log.append({ n, bytes: new Uint8Array(n), text: 'ü€' })
    await log.close()
    const whole = await readFile(file)
    for (let length = 0; length <= whole.length; length++) {
      const part = join(dir, 'part')
      await writeFile(part, whole.subarray(0, length))
      const lines = whole.subarray(0, length).filter((byte) => byte === 10).length
      assert.equal((await readAll(part)).length, lines)
    }
  })

  it('tells damage before the last line, after giving what came before it', async () => {
    await writeFile(file, '{"n":1}\n{"n":\n{"n":3}\n')
    const seen: unknown[] = []
    await assert.rejects(
      async () => {
        for await (const record of readEventLog(file)) seen.push(record)
      },
      { code: 'EVENT_LOG_CORRUPT', message: /line 2/ },
    )
    assert.deepEqual(seen, [{ n: 1 }])
  })

  it('rejects an append that cannot be written, keeps the file whole and can go on', async () => {
    const log = await EventLogWriter.open(file, { sync: false })
    await log.append({ n: 1 })
    const before = (await stat(file)).size
    await withFailingWrites('ENOSPC', async () => {
      const failed = await Promise.allSettled([
        log.append({ n: 2, text: 'x'.repeat(1_000) }),
        log.append({ n: 3 }),
      ])
      for (const result of failed) assert.equal(result.status === 'rejected' && result.reason.code, 'ENOSPC')
    })
    assert.equal((await stat(file)).size, before)
    await log.append({ n: 4 })
    await log.close()
    assert.deepEqual(await readAll(file), [{ n: 1 }, { n: 4 }])
  })

  it('takes nothing more when an error could not be undone', async () => {
    const log = await EventLogWriter.open(file, { sync: true })
    await log.append({ n: 1 })
    await withFailingSync(async () => {
      await assert.rejects(log.append({ n: 2 }), { code: 'EIO' })
    })
    await assert.rejects(log.append({ n: 3 }), { code: 'EVENT_LOG_BROKEN' })
    await log.close()
    await assert.rejects(log.append({ n: 4 }), { code: 'EVENT_LOG_BROKEN' })
    assert.deepEqual((await readAll(file))[0], { n: 1 })
  })
})

/** The class that all file handles share is not exported, but every handle leads to it. */
async function handlePrototype(): Promise<{ write: unknown; datasync: unknown }> {
  const handle = await open(new URL(import.meta.url))
  await handle.close()
  return Object.getPrototypeOf(handle)
}

/** Half of each buffer is written, then the disk is full. */
async function withFailingWrites(code: string, body: () => Promise<void>): Promise<void> {
  const prototype = await handlePrototype()
  const write = prototype.write as (
    this: unknown,
    bytes: Buffer,
    at: number,
    length?: number,
  ) => Promise<object>
  prototype.write = async function (this: unknown, bytes: Buffer, at: number) {
    if (at > 0) throw Object.assign(new Error('no space'), { code })
    return write.call(this, bytes, 0, Math.ceil(bytes.length / 2))
  }
  try {
    await body()
  } finally {
    prototype.write = write
  }
}

async function withFailingSync(body: () => Promise<void>): Promise<void> {
  const prototype = await handlePrototype()
  const { datasync } = prototype
  prototype.datasync = () => Promise.reject(Object.assign(new Error('input/output error'), { code: 'EIO' }))
  try {
    await body()
  } finally {
    prototype.datasync = datasync
  }
}
