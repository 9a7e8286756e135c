import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { removeAbandoned, WorkDirectory } from '../src/work-directory.ts'

describe('work directories', () => {
  let base: string

  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'work-'))
  })

  afterEach(() => rm(base, { recursive: true }))

  it('are gone when removed', async () => {
    const directory = await WorkDirectory.create(base)
    assert.deepEqual(await readdir(base), [basename(directory.path)])
    await directory.remove()
    assert.deepEqual(await readdir(base), [])
  })

  it('say where they cannot be made, and leave nothing', async () => {
    await writeFile(join(base, 'file'), '')
    await assert.rejects(WorkDirectory.unpack(null, join(base, 'file')), {
      code: 'WORK_DIRECTORY',
      exitCode: 4,
      message:
        /^the tests cannot be written to .*\/file: E.*; make room, or choose another directory with --work-dir$/,
    })
    await assert.rejects(WorkDirectory.unpack(Buffer.from('no bundle'), base), { code: 'BUNDLE_INVALID' })
    assert.deepEqual(await readdir(base), ['file'])
  })

  it('of killed processes are removed, and nothing else', async () => {
    const own = await WorkDirectory.create(base)
    const name = basename(own.path)
    const child = spawn(process.execPath, ['--version'])
    await once(child, 'exit')
    const ofPid = (pid: number) => name.replace(`-${process.pid}-`, `-${pid}-`)
    const abandoned = ofPid(child.pid!)
    // The same number in a container is another process.
    const elsewhere = abandoned.replace(/^loads-\d+-/, 'loads-123-')
    const living = ofPid(process.ppid)
    for (const each of [abandoned, elsewhere, living, 'loads-notes']) await mkdir(join(base, each))
    await removeAbandoned(base)
    assert.deepEqual((await readdir(base)).toSorted(), [name, elsewhere, living, 'loads-notes'].toSorted())
    await own.remove()
  })
})
