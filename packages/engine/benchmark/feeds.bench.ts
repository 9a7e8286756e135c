/** Rows per second out of a file with a million rows, and what that takes of memory. Run by hand with --expose-gc. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { FeedMode } from '@loads-runner/testcase'
import { createFeeds } from '../src/feeds/feeds.ts'
import { userAt } from '../test/feeds/user.ts'

const rows = 1_000_000
const reads = 500_000
const modes: FeedMode[] = ['sequential', 'random', 'unique', 'leased']

const collect = (globalThis as { gc?: () => void }).gc ?? (() => {})
const mebibytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

async function write(file: string): Promise<void> {
  const stream = createWriteStream(file)
  const array = file.endsWith('.json')
  stream.write(array ? '[\n' : file.endsWith('.csv') ? 'id,name,address,comment\n' : '')
  for (let row = 0; row < rows; row++) {
    // One row in ten has a quoted value.
    const comment = row % 10 === 0 ? 'well, "quoted"' : 'nothing to say'
    const address = `user${row}@mail.example`
    const text = file.endsWith('.csv')
      ? `${row},User ${row},${address},${row % 10 === 0 ? '"well, ""quoted"""' : comment}`
      : JSON.stringify({ id: row, name: `User ${row}`, address, comment })
    if (!stream.write(`${text}${array && row < rows - 1 ? ',' : ''}\n`)) await once(stream, 'drain')
  }
  stream.end(array ? ']\n' : '')
  await finished(stream)
}

const directory = await mkdtemp(join(tmpdir(), 'feeds-bench-'))
try {
  for (const name of ['rows.csv', 'rows.ndjson', 'rows.json']) {
    const file = join(directory, name)
    await write(file)
    collect()
    const before = process.memoryUsage().rss
    let next = 0
    const feeds = createFeeds({
      directory,
      seed: 1,
      lease: async (_feed, _size, count) => ({ first: (next += count) - count, count }),
      onUsed: () => {},
    })
    let begun = performance.now()
    await feeds.row(name, 'sequential', userAt(0))
    const indexed = performance.now() - begun
    console.log(
      `${name}: ${mebibytes((await stat(file)).size)}, index of ${rows} rows in ${indexed.toFixed(0)} ms, ` +
        `memory +${mebibytes(process.memoryUsage().rss - before)}`,
    )
    for (const mode of modes) {
      const user = userAt(0) as { ordinal: number; executionId: string } & ReturnType<typeof userAt>
      begun = performance.now()
      for (let ordinal = 0; ordinal < reads; ordinal++) {
        user.ordinal = ordinal
        user.executionId = `default/${ordinal}`
        await feeds.row(name, mode, user)
      }
      const seconds = (performance.now() - begun) / 1000
      collect()
      console.log(
        `  ${mode.padEnd(10)} ${Math.round(reads / seconds)} rows/s, memory +${mebibytes(process.memoryUsage().rss - before)}`,
      )
    }
    await feeds.close()
    await rm(file)
  }
} finally {
  await rm(directory, { recursive: true })
}
