import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { EventHub } from '../../src/events/event-hub.ts'
import { EventLog } from '../../src/events/event-log.ts'
import type { ChaosEvent, FaultEvent } from '../../src/events/event.ts'
import { loggedProxy } from '../../src/events/log-entry.ts'
import { readRecording } from '../../src/events/replay.ts'
import { tcp } from '../../src/protocols/tcp.ts'
import { startProxy } from '../../src/proxy/proxy.ts'
import { parseRule } from '../../src/rules/parse-rule.ts'
import type { ProxyOptions } from '../../src/proxy/options.ts'

const header = {
  type: 'log',
  format: 1,
  version: '0.1.0',
  at: 1,
  proxies: [{ name: 'p', listen: 'l:1', backend: 'b:1', protocol: 'tcp', seed: 7, tls: false, faults: [] }],
}

describe('a replay', () => {
  let directory: string
  let file: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'chaos-replay-'))
    file = join(directory, 'events.ndjson')
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  const write = (...entries: readonly unknown[]) =>
    writeFile(
      file,
      entries.map((entry) => (typeof entry === 'string' ? entry : JSON.stringify(entry))).join('\n'),
    )

  it('decides for exactly the units of the log, with what was drawn then', async () => {
    const unit = fc.record({
      connection: fc.integer({ min: 1, max: 5 }),
      direction: fc.constantFrom('upstream' as const, 'downstream' as const),
      ordinal: fc.integer({ min: 1, max: 5 }),
      rule: fc.constantFrom('a', 'b', 'a 1'),
    })
    const units = fc.uniqueArray(unit, {
      selector: (each) => `${each.rule}:${each.connection}:${each.direction}:${each.ordinal}`,
      maxLength: 40,
    })
    const rules = ['a', 'b', 'a 1'].map((name) =>
      parseRule({ type: 'delay', name, attributes: { unit: 'chunk' }, toxicity: 0 }, tcp),
    )
    await fc.assert(
      fc.asyncProperty(units, async (hit) => {
        const faults = hit.map((each, at): FaultEvent => {
          const draw = at / 40
          return { type: 'fault', at: 1, proxy: 'p', fault: 'delay', unit: 'chunk', draw, ...each }
        })
        await write(header, ...faults)
        const recording = await readRecording(file)
        assert.equal(recording.faults, hit.length)
        const [decide, ofOther] = [recording.decisionsOf('p'), recording.decisionsOf('other')]
        for (const rule of rules)
          for (const connection of [1, 2, 3, 4, 5, 6])
            for (const ordinal of [1, 2, 3, 4, 5, 6])
              for (const direction of ['upstream', 'downstream'] as const) {
                const asked = { connection, direction, ordinal, client: 'x', request: null }
                const at = hit.findIndex(
                  (each) =>
                    each.rule === rule.name &&
                    each.connection === connection &&
                    each.ordinal === ordinal &&
                    each.direction === direction,
                )
                assert.deepEqual(decide(rule, asked), at < 0 ? null : { rule, draw: at / 40 })
                assert.equal(ofOther(rule, asked), null)
              }
      }),
      { numRuns: 30 },
    )
  })

  it('knows the seeds, also of proxies that came later, and what is missing', async () => {
    await write(
      header,
      { type: 'listen', at: 1, proxy: 'later', listen: 'x', backend: 'y', protocol: 'tcp', seed: 9 },
      { type: 'change', at: 1, proxy: 'p', what: 'added', rule: {} },
      { type: 'change', at: 1, proxy: 'p', what: 'enabled' },
      '',
      { type: 'lost', at: 1, events: 10, faults: 4 },
      { type: 'something new', at: 1 },
    )
    const recording = await readRecording(file)
    assert.deepEqual(
      [recording.seedOf('p'), recording.seedOf('later'), recording.seedOf('no')],
      [7, 9, undefined],
    )
    assert.deepEqual([recording.lostFaults, recording.changes, recording.version], [4, 1, '0.1.0'])
  })

  it('says in which line a log is damaged, and what to do', async () => {
    const problem = async (...entries: unknown[]) => {
      await write(...entries)
      let message = ''
      await assert.rejects(readRecording(file), (error: Error & { code: string }) => {
        assert.equal(error.code, 'CHAOS_REPLAY')
        message = error.message.replaceAll(file, 'FILE')
        return true
      })
      return message
    }
    assert.equal(await problem(), 'FILE: is empty; give a file that --events wrote')
    assert.equal(
      await problem(header, '{"type":"fa'),
      'FILE:2: is not JSON: the log was cut or changed; keep what is before it: head -n 1 FILE > whole.ndjson',
    )
    assert.match(
      await problem(header, '', { type: 'fault', proxy: 'p' }),
      /^FILE:3: is no whole fault event: .*head -n 2/,
    )
    assert.match(await problem(header, '[1]'), /^FILE:2: is no event/)
    assert.match(
      await problem(header, { type: 'listen', proxy: 'x', seed: -1 }),
      /its listen event has no seed/,
    )
    assert.match(
      await problem({ type: 'fault' }),
      /^FILE:1: is no header of a log; give a file that --events wrote/,
    )
    assert.match(
      await problem({ ...header, proxies: [{ name: 'p' }] }),
      /^FILE:1: its header is damaged; record again/,
    )
    assert.match(
      await problem({ ...header, format: 2 }),
      /^FILE:1: has format 2, .* reads 1; replay it with version 0\.1\.0/,
    )
    await assert.rejects(readRecording(join(directory, 'none')), {
      code: 'CHAOS_REPLAY',
      message: /^cannot read .*ENOENT/,
    })
  })

  it('is read or refused, whatever is in the file', async () => {
    const entry = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)),
      fc.string(),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(entry), fc.boolean(), async (entries, isHeaded) => {
        await write(...(isHeaded ? [header] : []), ...entries)
        await readRecording(file).catch((error: Error & { code?: string }) =>
          assert.equal(error.code, 'CHAOS_REPLAY'),
        )
      }),
      { numRuns: 50 },
    )
  })

  describe('of a proxy', () => {
    let backend: Server
    beforeEach(async () => {
      backend = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
      await once(backend, 'listening')
    })
    afterEach(() => backend.close())

    /** Faults of the last traffic, but for their times. */
    let faults: ChaosEvent[] = []

    /** Whether each of 40 connections, one after the other, got its echo. */
    const traffic = async (options: Partial<ProxyOptions>, logged: boolean) => {
      const events = new EventHub()
      faults = []
      events.listen((event) => {
        if (event.type === 'fault') faults.push({ ...event, at: 0 })
      })
      const { port } = backend.address() as { port: number }
      const proxy = await startProxy(
        { name: 'p', backend: `127.0.0.1:${port}`, enabled: false, ...options },
        events,
      )
      const log = logged
        ? await EventLog.open({ file, events, version: '1', proxies: [loggedProxy(proxy, false)] })
        : null
      await proxy.enable()
      const outcomes: boolean[] = []
      for (let at = 0; at < 40; at++) {
        const socket = connect(proxy.address.port, '127.0.0.1')
        let got = ''
        const done = new Promise<void>((resolve) => {
          socket
            .setEncoding('latin1')
            .on('data', (text: string) => {
              got += text
              if (got.length >= 'hello'.length) resolve()
            })
            .on('error', () => {})
            .on('close', resolve)
        })
        socket.write('hello')
        await done
        outcomes.push(got === 'hello')
        socket.destroy()
      }
      await proxy.close()
      await log?.close()
      return outcomes
    }

    it('hits the same connections again, whatever is drawn now', async function () {
      this.timeout(30_000)
      const behavior = '40:blackout'
      const recorded = await traffic({ behavior, seed: 3 }, true)
      assert.ok(recorded.includes(true) && recorded.includes(false))
      const recording = await readRecording(file)
      assert.equal(recording.seedOf('p'), 3)
      assert.equal(recording.faults, recorded.filter((spared) => !spared).length)
      const options = { behavior, seed: 4 }
      assert.notDeepEqual(await traffic(options, false), recorded)
      assert.deepEqual(await traffic({ ...options, recorded: recording.decisionsOf('p') }, false), recorded)
      // The log alone is enough.
      const { faults } = recording.proxies[0]!
      assert.deepEqual(await traffic({ faults, seed: 3 }, false), recorded)
    })

    it('makes the same faults of every kind, at the same places', async function () {
      this.timeout(30_000)
      const rules = [
        { type: 'refuse', toxicity: 0.2 },
        { type: 'connect_delay', toxicity: 0.3, attributes: { delay: 1, jitter: 1 } },
        {
          type: 'latency',
          name: 'up',
          stream: 'upstream',
          toxicity: 0.5,
          attributes: { latency: 1, jitter: 1 },
        },
        { type: 'slicer', toxicity: 0.5, attributes: { average_size: 2, size_variation: 1 } },
        { type: 'limit_data', toxicity: 0.3, attributes: { bytes: 3 } },
        { type: 'delay', toxicity: 0.3, attributes: { sleep: 0.001 } },
        { type: 'error', toxicity: 0.3, attributes: { every: 2, unit: 'chunk' } },
      ]
      const recorded = await traffic({ faults: rules, seed: 5 }, true)
      const told = faults
      const names = new Set(told.map((event) => (event as FaultEvent).rule))
      for (const { type, name = `${type}_downstream` } of rules) assert.ok(names.has(name), name)
      const recording = await readRecording(file)
      assert.equal(recording.faults, told.length)
      const again = await traffic({ faults: rules, seed: 5, recorded: recording.decisionsOf('p') }, false)
      assert.deepEqual(again, recorded)
      assert.deepEqual(faults, told)
    })
  })
})
