import assert from 'node:assert/strict'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileChanges } from '../../src/commands/watch.ts'

describe('FileChanges', () => {
  let directory: string
  let changes: FileChanges
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'loads-watch-'))
    changes = new FileChanges()
  })
  afterEach(async () => {
    changes.close()
    await rm(directory, { recursive: true, force: true })
  })

  it('tells of each change of a file, replaced ones included, and of no other', async () => {
    const file = join(directory, 'a.ts')
    await writeFile(file, '1')
    changes.follow([file])
    let told = 0
    const first = changes.next().then(() => told++)
    await writeFile(join(directory, 'b.ts'), 'not followed')
    await writeFile(join(directory, 'a.ts.new'), '2')
    assert.equal(told, 0)
    await rename(join(directory, 'a.ts.new'), file)
    await first
    const second = changes.next()
    await writeFile(file, '3')
    await second
  })

  it('follows a whole directory while no files are known', async () => {
    changes.followAll(directory)
    const change = changes.next()
    await writeFile(join(directory, 'new.ts'), '1')
    await change
  })
})
