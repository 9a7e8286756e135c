import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { EventHub } from '../../src/events/event-hub.ts'
import { EventLog } from '../../src/events/event-log.ts'
import type { ChaosEvent, FaultEvent } from '../../src/events/event.ts'

const accept = (connection: number): ChaosEvent => ({
  type: 'accept',
  at: 1,
  proxy: 'p',
  connection,
  client: '127.0.0.1:5',
})

const fault = (connection: number): FaultEvent => ({
  type: 'fault',
  at: 1,
  proxy: 'p',
  connection,
  rule: 'r',
  fault: 'delay',
  direction: 'upstream',
  unit: 'request',
  ordinal: 1,
  draw: 0.5,
})

describe('a log of events', () => {
  let directory: string
  let file: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'chaos-log-'))
    file = join(directory, 'events.ndjson')
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  const proxies = [
    { name: 'p', listen: 'l:1', backend: 'b:1', protocol: 'tcp', seed: 7, tls: false, faults: [] },
  ]
  const lines = async () =>
    (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)

  it('has a header with the seeds, then every event in order', async () => {
    const events = new EventHub()
    const log = await EventLog.open({ file, events, version: '1.2.3', proxies })
    for (let at = 1; at <= 1000; at++) events.tell(accept(at))
    await log.close()
    await log.close()
    events.tell(accept(1001))
    const [header, ...rest] = await lines()
    const { at, ...known } = header!
    assert.equal(typeof at, 'number')
    assert.deepEqual(known, { type: 'log', format: 1, version: '1.2.3', proxies })
    assert.deepEqual(
      rest,
      Array.from({ length: 1000 }, (_, index) => accept(index + 1)),
    )
    assert.deepEqual([log.written, log.lost, events.isHeard], [1000, 0, false])
  })

  it('loses what finds no room, faults last, and says how much', async () => {
    const events = new EventHub()
    const troubles: string[] = []
    const log = await EventLog.open({
      file,
      events,
      version: '1',
      proxies,
      maxQueuedBytes: 20_000,
      onTrouble: (text) => troubles.push(text),
    })
    // All in one turn: nothing can be written in between.
    for (let at = 1; at <= 1000; at++) events.tell(accept(at))
    for (let at = 1; at <= 20; at++) events.tell(fault(at))
    await log.close()
    const [, ...rest] = await lines()
    const losses = rest.filter(({ type }) => type === 'lost')
    assert.equal(rest.filter(({ type }) => type === 'fault').length, 20)
    const accepted = rest.filter(({ type }) => type === 'accept').length
    assert.ok(accepted > 50 && accepted < 500, String(accepted))
    assert.equal(losses.length, 1)
    assert.equal(losses[0]!['events'], 1000 - accepted)
    assert.equal(losses[0]!['faults'], 0)
    assert.deepEqual([log.lost, log.written], [1000 - accepted, accepted + 20])
    assert.match(
      troubles.join('\n'),
      /the disk is too slow: events are being lost; the proxies go on\n.*events were lost$/,
    )
  })

  it('goes on without a file that cannot be written any more', async () => {
    await promisify(execFile)('mkfifo', [file])
    // Takes the header, and is gone.
    const reader = spawn('head', ['-n', '1', file], { stdio: ['ignore', 'pipe', 'inherit'] })
    reader.stdout.resume()
    const ended = once(reader, 'close')
    const events = new EventHub()
    const troubles: string[] = []
    const log = await EventLog.open({
      file,
      events,
      version: '1',
      proxies,
      onTrouble: (text) => troubles.push(text),
    })
    await ended
    for (let at = 1; at <= 100; at++) {
      events.tell(fault(at))
      await new Promise(setImmediate)
    }
    await log.close()
    assert.deepEqual([log.written, log.lost], [0, 100])
    assert.equal(troubles.length, 1)
    assert.match(troubles[0]!, /EPIPE.*events are being lost; the proxies go on$/)
  })

  it('must be writable from the start', async () => {
    const events = new EventHub()
    for (const path of [join(directory, 'none', 'x'), directory, '/dev/full']) {
      await assert.rejects(EventLog.open({ file: path, events, version: '1', proxies }), {
        code: 'CHAOS_CONFIG',
        message: /^cannot write events to .*: (ENOENT|EISDIR|ENOSPC)/,
      })
    }
    assert.equal(events.isHeard, false)
  })
})
