import assert from 'node:assert/strict'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { prune } from '../src/prune.ts'
import { RunStore } from '../src/run-store.ts'
import { withDirectory, writeRun } from './run-maker.ts'

describe('prune', () => {
  it('says what could not be removed, and goes on', () =>
    withDirectory(async (root) => {
      for (const number of [1, 2])
        await writeRun(join(root, `2026-11-01--${number}`), { runId: `r${number}`, verdict: 'failed' })
      const [newest] = await new RunStore([root]).list()
      // Since it was listed, somebody put something else in its place.
      const other = join(root, '2026-11-01--3')
      await mkdir(other)
      await writeFile(join(other, 'precious.txt'), '')
      const all = [{ ...newest!, path: other }, { ...newest!, path: join(root, 'gone') }, newest!]
      const { removed, failed } = await prune([root], all, { keep: 0 })
      assert.deepEqual(removed, [newest])
      assert.equal(failed.length, 2)
      assert.match(failed[0]!.reason, /run\.json/)
      assert.match(failed[1]!.reason, /gone/)
      assert.ok((await stat(join(other, 'precious.txt'))).isFile())
    }))

  it('touches no run outside of its roots', () =>
    withDirectory(async (directory) => {
      const [root, elsewhere] = [join(directory, 'results'), join(directory, 'elsewhere')]
      await writeRun(join(root, 'a'), { runId: 'a', verdict: 'failed' })
      await writeRun(join(elsewhere, 'b'), { runId: 'b', verdict: 'failed' })
      const all = await new RunStore([root, elsewhere]).list()
      assert.equal(all.length, 2)
      const { removed } = await prune([root], all, { keep: 0 })
      assert.deepEqual(
        removed.map(({ runId }) => runId),
        ['a'],
      )
    }))
})
