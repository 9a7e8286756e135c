import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseJoin } from '../src/join.ts'
import { createKeys } from '../src/keys.ts'
import { readJoin } from '../src/read-join.ts'
import { defaultStateDir, loadOrCreateKeys, writeJoinFiles } from '../src/state-dir.ts'

const modeOf = async (path: string) => (await stat(path)).mode & 0o777

describe('state directory', () => {
  let base: string
  let dir: string

  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'loads-state-'))
    dir = join(base, 'inner', 'state')
  })

  afterEach(() => rm(base, { recursive: true }))

  it('makes keys once, readable by the owner only', async () => {
    const keys = await loadOrCreateKeys(dir)
    assert.deepEqual(await loadOrCreateKeys(dir), keys)
    assert.equal(await modeOf(dir), 0o700)
    assert.equal(await modeOf(join(dir, 'broker.keys')), 0o600)
    assert.deepEqual(await readdir(dir), ['broker.keys'])
  })

  it('gives the same keys to brokers that start at once', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => loadOrCreateKeys(dir)))
    for (const keys of all) assert.deepEqual(keys, all[0])
    assert.deepEqual(await readdir(dir), ['broker.keys'])
  })

  it('says what is wrong with a directory that cannot be used', async () => {
    await writeFile(join(base, 'file'), '')
    const expected = {
      code: 'KEYS_UNAVAILABLE',
      message:
        /^The state directory .*file\/state cannot be used: ENOTDIR.* Choose another with --state-dir\.$/,
    }
    await assert.rejects(loadOrCreateKeys(join(base, 'file', 'state')), expected)
    await assert.rejects(writeJoinFiles(join(base, 'file', 'state'), createKeys(), 'localhost:1'), expected)
  })

  it('does not replace keys that are damaged', async () => {
    await loadOrCreateKeys(dir)
    const file = join(dir, 'broker.keys')
    for (const text of [
      '',
      '{',
      '{}',
      JSON.stringify({ ...createKeys(), server: { publicKey: 'x', secretKey: 'y' } }),
    ]) {
      await writeFile(file, text)
      await assert.rejects(loadOrCreateKeys(dir), { code: 'KEYS_INVALID' })
      assert.equal(await readFile(file, 'utf8'), text)
    }
  })

  it('writes join files for the owner only, which can be read back', async () => {
    const keys = await loadOrCreateKeys(dir)
    const files = await writeJoinFiles(dir, keys, 'broker.example:7776')
    assert.deepEqual(files, { agent: join(dir, 'agent.join'), operator: join(dir, 'operator.join') })
    for (const role of ['agent', 'operator'] as const) {
      assert.equal(await modeOf(files[role]), 0o600)
      const read = await readJoin(`@${files[role]}`)
      assert.equal(read.role, role)
      assert.equal(read.host, 'broker.example')
      assert.deepEqual(read.curve, keys[role].curve)
    }
    await writeJoinFiles(dir, keys, '[::1]:9')
    assert.equal(parseJoin(await readFile(files.agent, 'utf8')).host, '::1')
    assert.equal(await modeOf(files.agent), 0o600)
    assert.deepEqual((await readdir(dir)).sort(), ['agent.join', 'broker.keys', 'operator.join'])
  })

  it('is where the platform keeps state', () => {
    if (process.getuid?.() === 0) return assert.equal(defaultStateDir(), '/var/lib/loads')
    const before = process.env['XDG_STATE_HOME']
    try {
      process.env['XDG_STATE_HOME'] = '/somewhere'
      assert.equal(defaultStateDir(), '/somewhere/loads')
      delete process.env['XDG_STATE_HOME']
      assert.equal(defaultStateDir(), join(homedir(), '.local/state/loads'))
    } finally {
      if (before !== undefined) process.env['XDG_STATE_HOME'] = before
    }
  })
})
