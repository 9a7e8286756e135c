import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { formatJoin, parseJoin } from '../src/join.ts'
import { createKeys } from '../src/keys.ts'
import { readJoin } from '../src/read-join.ts'

describe('readJoin', () => {
  const text = formatJoin(createKeys(), 'agent', 'broker.example:7776')
  const expected = parseJoin(text)
  let dir: string

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'loads-join-'))
  })

  afterEach(() => rm(dir, { recursive: true }))

  it('takes the string itself', async () => {
    assert.deepEqual(await readJoin(text), expected)
    await assert.rejects(readJoin('agent.join'), { code: 'JOIN_INVALID' })
    await assert.rejects(readJoin('@'), { code: 'JOIN_INVALID' })
  })

  it('looks in the working directory first, then in the state directory', async () => {
    const stateDir = join(dir, 'state')
    await mkdir(stateDir)
    await writeFile(join(stateDir, 'x.join'), text)
    assert.deepEqual(await readJoin('@x.join', { stateDir }), expected)

    const here = formatJoin(createKeys(), 'agent', 'here.example:1')
    const cwd = process.cwd()
    process.chdir(dir)
    try {
      await writeFile('x.join', here)
      assert.equal((await readJoin('@x.join', { stateDir })).host, 'here.example')
    } finally {
      process.chdir(cwd)
    }
  })

  it('waits for a file that a broker is about to write', async () => {
    const file = join(dir, 'agent.join')
    const reading = readJoin(`@${file}`, { waitMs: 50_000 })
    await delay(150)
    await writeFile(file, '')
    await delay(150)
    await writeFile(join(dir, 'new'), text)
    await rename(join(dir, 'new'), file)
    assert.deepEqual(await reading, expected)
  })

  it('gives up after a while, naming where it looked', async () => {
    const file = join(dir, 'never.join')
    await assert.rejects(readJoin(`@${file}`, { waitMs: 100 }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'JOIN_NOT_FOUND')
      assert.ok(error.message.includes(file))
      return true
    })
  })

  it('says at once that a file has no join string or cannot be read', async function () {
    const file = join(dir, 'other.txt')
    await writeFile(file, 'something else')
    await assert.rejects(readJoin(`@${file}`), (error: Error) =>
      error.message.startsWith(`${file}: This is not a usable join string`),
    )
    await assert.rejects(readJoin(`@${dir}`), { code: 'JOIN_NOT_FOUND' })
    if (process.getuid?.() === 0) return
    await chmod(file, 0)
    await assert.rejects(readJoin(`@${file}`), { code: 'JOIN_NOT_FOUND' })
  })

  it('reads a descriptor that its parent gave: a socket, a pipe, a file', async () => {
    const script = `
      import { readJoin } from ${JSON.stringify(new URL('../src/read-join.ts', import.meta.url).href)}
      const join = await readJoin('@/dev/fd/3')
      const again = await readJoin('@/dev/fd/3').catch((error) => error.code)
      console.log(join.host, again)`
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', script]
    const resultOf = async (child: ChildProcess) => {
      let said = ''
      child.stdout!.on('data', (chunk: Buffer) => (said += String(chunk)))
      await once(child, 'close')
      return said.trim()
    }
    const expectedText = 'broker.example JOIN_NOT_FOUND'

    const withSocket = spawn(node[0]!, node.slice(1), { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] })
    ;(withSocket.stdio[3] as NodeJS.WritableStream).end(text)
    assert.equal(await resultOf(withSocket), expectedText)

    const file = join(dir, 'x.join')
    await writeFile(file, `${text}\n`)
    const env = { ...process.env, FILE: file }
    for (const redirection of ['3< "$FILE"', '3< <(cat "$FILE")'])
      assert.equal(
        await resultOf(
          spawn('bash', ['-c', `exec "$@" ${redirection}`, 'bash', ...node], {
            env,
            stdio: ['ignore', 'pipe', 'inherit'],
          }),
        ),
        expectedText,
      )
  })
})
