import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ClusterError, ServiceStartError } from '../src/errors.ts'
import { groupGone } from '../src/process-group.ts'
import { ProcessService } from '../src/process-service.ts'
import type { ProcessServiceOptions } from '../src/process-service.ts'
import { goneWithin, patient, script, scripts } from './scripts.ts'

const parent = fileURLToPath(new URL('./parent.ts', import.meta.url))

describe('ProcessService', () => {
  const services: ProcessService[] = []
  let directory: string

  function service(code: string, options: Partial<ProcessServiceOptions> = {}): ProcessService {
    const made = new ProcessService({ name: 'thing', ...patient, ...script(code), ...options })
    services.push(made)
    return made
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'loads-cluster-'))
  })

  afterEach(async () => {
    await Promise.all(services.splice(0).map((each) => each.stop()))
    await rm(directory, { recursive: true, force: true })
  })

  it('starts a child, tells its exit, and knows whether it runs', async () => {
    const thing = service('process.stdin.resume(); process.stdin.on("data", () => process.exit(7))')
    assert.equal(thing.running, false)
    assert.equal(thing.pid, null)
    await thing.start()
    assert.equal(thing.running, true)
    const told = new Promise((resolve) => thing.onExit(resolve))
    assert.equal(thing.signal('SIGKILL'), true)
    assert.deepEqual(await thing.wait(), { code: null, signal: 'SIGKILL' })
    assert.deepEqual(await told, { code: null, signal: 'SIGKILL' })
    assert.equal(thing.running, false)
    assert.equal(thing.signal('SIGTERM'), false)
    // Who asks late is told too.
    assert.deepEqual(await new Promise((resolve) => thing.onExit(resolve)), { code: null, signal: 'SIGKILL' })
  })

  it('hands over the input on descriptor 3, both as a stream and by its name', async () => {
    const code = `
      const { readFileSync } = require('node:fs')
      const { createHash } = require('node:crypto')
      for (const source of ['/dev/fd/3', 3]) {
        console.log(createHash('sha256').update(readFileSync(source, 'utf8')).digest('hex'))
      }`
    const input = 'loads://127.0.0.1:1/agent#ünïcode ' + 'x'.repeat(1_000_000)
    const thing = service(code, { input })
    // Where nobody else leaves anything.
    const before = process.env['TMPDIR']
    process.env['TMPDIR'] = directory
    try {
      assert.equal(tmpdir(), directory)
      await thing.start()
    } finally {
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
    }
    assert.deepEqual(await thing.wait(), { code: 0, signal: null })
    const hash = createHash('sha256').update(input).digest('hex')
    assert.equal(thing.logTail(), `${hash}\n${hash}`)
    assert.deepEqual(await readdir(directory), [])
  })

  it('ignores an endless line that cannot be an announcement', async () => {
    const thing = service(`require('node:fs').writeSync(4, 'x'.repeat(70_000) + '\\n')`, { readLine: true })
    await assert.rejects(thing.start(), { code: 'CLUSTER_EXITED_EARLY' })
  })

  it('waits for the announcement and keeps the rest of that descriptor flowing', async () => {
    const code = `
      const { writeSync } = require('node:fs')
      writeSync(4, '{"agent":"a",')
      setTimeout(() => {
        writeSync(4, '"operator":"o"}\\r\\nsecond line\\n')
        for (let i = 0; i < 100; i++) writeSync(4, 'x'.repeat(10_000))
        process.exit(3)
      }, 20)`
    const thing = service(code, { readLine: true })
    await thing.start()
    assert.equal(await thing.announced(1_000), '{"agent":"a","operator":"o"}')
    assert.deepEqual(await thing.wait(), { code: 3, signal: null })
    assert.equal(await thing.announced(1_000), '{"agent":"a","operator":"o"}')
  })

  it('does not start what ends before it is ready, and shows the end of its log', async () => {
    const thing = service(
      'console.log("listening soon"); console.error("port 1 is taken"); process.exit(4)',
      {
        readLine: true,
      },
    )
    await assert.rejects(thing.start(), (error: unknown) => {
      assert.ok(error instanceof ServiceStartError)
      assert.equal(error.code, 'CLUSTER_EXITED_EARLY')
      assert.equal(error.name, 'ServiceStartError')
      assert.equal(error.service, 'thing')
      assert.match(error.message, /^cannot start thing: it ended with exit code 4 before it was ready\./)
      assert.match(error.message, /\n {2}port 1 is taken/)
      assert.match(error.logTail, /listening soon/)
      return true
    })
    assert.equal(thing.running, false)
  })

  it('gives up on what never gets ready, and leaves nothing of it', async () => {
    const thing = service('setInterval(() => {}, 1000)', { readLine: true, startTimeoutMs: 700 })
    const error = await thing.start().then(
      () => assert.fail('it started'),
      (reason: ServiceStartError) => reason,
    )
    assert.equal(error.code, 'CLUSTER_NOT_READY')
    assert.match(error.message, /within 700 ms/)
    assert.equal(thing.running, false)
    assert.equal(await groupGone(thing.pid!, 0), true)
  })

  it('shows the end of the log of what does not get ready', async () => {
    const thing = service('console.log("busy"); setInterval(() => {}, 1000)', { readLine: true })
    const starting = thing.start().catch(() => {})
    while (thing.logTail() === '') await delay(20)
    const expected = { code: 'CLUSTER_NOT_READY', message: /within 10 ms[^]*busy/ }
    await assert.rejects(thing.announced(10), expected)
    await thing.stop()
    await starting
  })

  it('does not take its own standstill for a child that is late', async () => {
    const file = join(directory, 'said')
    const code = `
      const { writeFileSync, writeSync } = require('node:fs')
      writeSync(4, 'up\\n')
      writeFileSync(${JSON.stringify(file)}, '')
      setInterval(() => {}, 1000)`
    const thing = service(code, { readLine: true })
    const starting = thing.start()
    await new Promise(setImmediate)
    const line = thing.announced(10)
    // Nothing is read here until the child has spoken and the time is up.
    const since = performance.now()
    const clock = new Int32Array(new SharedArrayBuffer(4))
    while (!existsSync(file) || performance.now() - since < 50) Atomics.wait(clock, 0, 0, 5)
    assert.equal(await line, 'up')
    await starting
  })

  it('says which program, permission or directory is missing', async () => {
    const noProgram = service('', { command: 'no-such-program-anywhere' })
    await assert.rejects(noProgram.start(), {
      code: 'CLUSTER_CANNOT_START',
      message: /no program no-such-program-anywhere/,
    })
    await assert.rejects(service('', { command: directory }).start(), { message: /may not be executed/ })
    await assert.rejects(service('', { cwd: join(directory, 'none') }).start(), {
      code: 'CLUSTER_CANNOT_START',
      message: /working directory .*none does not exist/,
    })
    assert.deepEqual(await noProgram.wait(), { code: null, signal: null })
    await noProgram.stop()
  })

  it('runs once only', async () => {
    const thing = service('')
    await thing.start()
    await assert.rejects(thing.start(), ClusterError)
    const stopped = service('')
    await stopped.stop()
    await assert.rejects(stopped.start(), { code: 'CLUSTER_MISUSE' })
    await assert.rejects(service('').announced(1), { code: 'CLUSTER_MISUSE' })
  })

  it('stops gently when it can, any number of times', async () => {
    const thing = service(
      `process.on('SIGTERM', () => { console.log('bye'); process.exit(0) })
       setInterval(() => {}, 1000)
       require('node:fs').writeSync(4, 'up\\n')`,
      { readLine: true },
    )
    await thing.start()
    await Promise.all([thing.stop(), thing.stop()])
    await thing.stop()
    assert.deepEqual(await thing.wait(), { code: 0, signal: null })
    assert.equal(thing.logTail(), 'bye')
  })

  it('kills what ignores SIGTERM, after its grace', async () => {
    const thing = service(scripts.stubborn, { readLine: true, stopGraceMs: 300 })
    await thing.start()
    const startedAt = performance.now()
    await thing.stop()
    assert.ok(performance.now() - startedAt >= 290, 'the grace was not given')
    assert.deepEqual(await thing.wait(), { code: null, signal: 'SIGKILL' })
  })

  it('stops a child that is itself stopped (SIGSTOP)', async () => {
    const thing = service(
      `process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000)
       require('node:fs').writeSync(4, 'up\\n')`,
      { readLine: true },
    )
    await thing.start()
    thing.signal('SIGSTOP')
    await thing.stop()
    assert.deepEqual(await thing.wait(), { code: 0, signal: null })
  })

  it('takes grandchildren along, also stubborn ones whose parent is gone', async () => {
    const thing = service(scripts.withGrandchild(scripts.stubborn), { readLine: true, stopGraceMs: 300 })
    await thing.start()
    const grandchild = Number(await thing.announced(0))
    assert.equal(await goneWithin([grandchild], 0), false)
    await thing.stop()
    assert.equal(await goneWithin([thing.pid!, grandchild], 0), true)
  })

  it('kills what a child that dies on its own leaves behind', async () => {
    const thing = service(scripts.withGrandchild(scripts.stubborn), { readLine: true })
    await thing.start()
    const grandchild = Number(await thing.announced(0))
    process.kill(thing.pid!, 'SIGKILL')
    assert.deepEqual(await thing.wait(), { code: null, signal: 'SIGKILL' })
    assert.equal(await goneWithin([grandchild], 0), true)
  })

  it('keeps the end of a long log only', async () => {
    const thing = service('for (let i = 1; i <= 100000; i++) console.log("line " + i)')
    await thing.start()
    await thing.wait()
    const lines = thing.logTail().split('\n')
    assert.equal(lines.length, 20)
    assert.equal(lines.at(-1), 'line 100000')
  })

  it('appends to a log file, which its errors quote', async () => {
    const logFile = join(directory, 'agents', 'a1', 'log')
    for (const word of ['first', 'second']) {
      const thing = service(`console.error(${JSON.stringify(word)}); process.exit(1)`, {
        logFile,
        readLine: true,
      })
      await assert.rejects(thing.start(), { message: new RegExp(`\\n {2}${word}`) })
      assert.match(thing.logTail(), new RegExp(`${word}$`))
    }
    assert.equal(await readFile(logFile, 'utf8'), 'first\nsecond\n')
  })

  it('adds to the environment', async () => {
    const thing = service('console.log(process.env.LOADS_X, process.env.PATH !== undefined)', {
      env: { LOADS_X: '1' },
    })
    await thing.start()
    await thing.wait()
    assert.equal(thing.logTail(), '1 true')
  })

  for (const end of ['SIGKILL', 'SIGTERM', 'exit', 'throw']) {
    it(`leaves nothing when its parent ends by ${end}`, async () => {
      const child = spawn(process.execPath, ['--import', 'tsx', parent, end], {
        stdio: ['pipe', 'pipe', 'ignore'],
      })
      const closed = once(child, 'close')
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      const { value } = (await lines.next()) as { value: string }
      const pids = JSON.parse(value) as number[]
      assert.equal(pids.length, end === 'exit' || end === 'throw' ? 4 : 2)
      assert.equal(await goneWithin(pids, 0), false)
      if (end.startsWith('SIG')) child.kill(end as NodeJS.Signals)
      else child.stdin.end()
      await closed
      assert.equal(await goneWithin(pids, 40_000), true, `still there: ${pids.join(' ')}`)
    })
  }
})
