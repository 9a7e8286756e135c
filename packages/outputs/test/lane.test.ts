import assert from 'node:assert/strict'
import { once, EventEmitter } from 'node:events'
import fc from 'fast-check'
import type { RunEvent } from '@loads-runner/protocol'
import { OutputError } from '../src/errors.ts'
import { OutputLane, type LaneTimes } from '../src/lane.ts'
import { bytesOf, defaultQueueLimits, type QueueLimits } from '../src/lane-queue.ts'
import type { OutputRecord, OutputRun } from '../src/output.ts'
import { enoughMs, impatientTimes, quickTimes, RecordingOutput } from './recording-output.ts'

const run = {} as OutputRun

function logLine(text: string): OutputRecord {
  return {
    type: 'event',
    event: { type: 'log', at: 0, level: 'info', source: 'x', text } as Extract<RunEvent, { type: 'log' }>,
  }
}

function laneOf(output: RecordingOutput, changes: { times?: LaneTimes; limits?: QueueLimits } = {}) {
  const said: string[] = []
  const lane = new OutputLane({ output, onTrouble: (text) => said.push(text), times: quickTimes, ...changes })
  const push = (...records: OutputRecord[]) => {
    for (const record of records) lane.push({ record, bytes: bytesOf(record) })
  }
  return { lane, said, push }
}

function textsOf(output: RecordingOutput): string[] {
  return output.ofType('event').map(({ event }) => (event as { text: string }).text)
}

describe('OutputLane', () => {
  it('tries again what failed, in order, nothing twice, and says once that it began and that it was over', async () => {
    const output = new RecordingOutput({ batch: 2 })
    let left = 3
    output.beforeWrite = () => {
      if (left-- > 0) throw new Error('connect ECONNREFUSED')
    }
    const { lane, said, push } = laneOf(output)
    lane.start(run)
    push(...['a', 'b', 'c', 'd', 'e'].map(logLine))
    await lane.finish(enoughMs)
    assert.deepEqual(textsOf(output), ['a', 'b', 'c', 'd', 'e'])
    assert.equal(lane.health().retries, 3)
    assert.equal(said.length, 2)
    assert.match(said[0]!, /^output recording does not work: connect ECONNREFUSED; what it misses is kept/)
    assert.match(said[1]!, /^output recording works again after \d+\.\d s and 3 retries; nothing was lost$/)
  })

  it('opens again until it works, and loses nothing meanwhile', async () => {
    const output = new RecordingOutput()
    output.beforeOpen = (attempt) => {
      if (attempt < 4) throw new Error('down')
    }
    const { lane, said, push } = laneOf(output)
    lane.start(run)
    push(logLine('a'), logLine('b'))
    await lane.finish(enoughMs)
    assert.equal(output.opened, 4)
    assert.deepEqual(textsOf(output), ['a', 'b'])
    assert.equal(said.length, 2)
  })

  it('stops for good when it is refused, with one line', async () => {
    const output = new RecordingOutput()
    output.beforeOpen = () => {
      throw new OutputError('OUTPUT_REFUSED', 'wrong password for "loads"; set INFLUX_PASSWORD')
    }
    const { lane, said, push } = laneOf(output)
    push(logLine('a'))
    lane.start(run)
    await lane.finish(1_000)
    push(logLine('b'))
    assert.equal(output.opened, 1)
    assert.equal(output.closed, 1)
    assert.equal(lane.health().dropped, 2)
    assert.match(lane.health().trouble!, /wrong password/)
    assert.equal(
      said[0],
      'output recording was refused: wrong password for "loads"; set INFLUX_PASSWORD; the run goes on without it',
    )
    assert.equal(said.length, 2)
    assert.match(said[1]!, /^output recording: 1 of 1 record lost/)
  })

  it('waits for a batch, but not for long', async () => {
    const output = new RecordingOutput({ batch: 3 })
    const seen = new EventEmitter()
    output.beforeWrite = () => void seen.emit('write')
    const { lane, push } = laneOf(output, { times: { ...quickTimes, lingerMs: 150 } })
    lane.start(run)
    const full = once(seen, 'write')
    push(logLine('a'), logLine('b'), logLine('c'))
    await full
    const began = performance.now()
    const lingering = once(seen, 'write')
    push(logLine('d'))
    await lingering
    const took = performance.now() - began
    assert.ok(took >= 140, `${took} ms`)
    await lane.finish(enoughMs)
    assert.deepEqual(output.batches, [3, 1])
  })

  it('ends a write that lasts too long through its signal, and does it again', async () => {
    const output = new RecordingOutput()
    let first = true
    let reason: unknown
    output.beforeWrite = async (_records, signal) => {
      if (!first) return
      first = false
      await once(signal, 'abort')
      reason = signal.reason
      signal.throwIfAborted()
    }
    const { lane, said, push } = laneOf(output, { times: impatientTimes })
    lane.start(run)
    push(logLine('a'))
    await lane.finish(enoughMs)
    assert.ok(reason instanceof OutputError && reason.code === 'OUTPUT_TIMEOUT')
    assert.deepEqual(textsOf(output), ['a'])
    assert.match(said[0]!, /no answer for 0\.2 s/)
  })

  it('gives up a write that does not end when told to, counts it as lost, and goes on', async () => {
    const output = new RecordingOutput()
    let first = true
    const second = new EventEmitter()
    output.beforeWrite = () => {
      if (!first) return void second.emit('write')
      first = false
      return new Promise(() => {})
    }
    const { lane, said, push } = laneOf(output, { times: impatientTimes })
    lane.start(run)
    push(logLine('a'))
    const written = once(second, 'write')
    push(logLine('b'))
    await written
    await lane.finish(enoughMs)
    assert.deepEqual(textsOf(output), ['b'])
    assert.equal(lane.health().dropped, 1)
    assert.ok(
      said.some((line) => line.includes('1 of 2 records lost')),
      said.join('\n'),
    )
  })

  it('keeps within its bounds while an output is down, and tells in the end what was lost', async () => {
    const output = new RecordingOutput()
    let down = true
    output.beforeWrite = () => {
      if (down) throw new Error('down')
    }
    const { lane, said, push } = laneOf(output, { limits: { ...defaultQueueLimits, records: 10 } })
    lane.start(run)
    const lines = Array.from({ length: 50 }, (_, index) => String(index))
    push(...lines.map(logLine), { type: 'end', summary: null })
    assert.ok(lane.health().waiting <= 10)
    down = false
    await lane.finish(enoughMs)
    assert.deepEqual(textsOf(output), lines.slice(-9))
    assert.equal(output.records.at(-1)!.type, 'end')
    assert.equal(lane.health().dropped, 41)
    assert.ok(said.at(-1)!.startsWith('output recording: 41 of 51 records lost'), said.join('\n'))
    assert.equal(said.filter((line) => line.includes('are dropped from now on')).length, 1)
  })

  it('pauses longer after each failure', async () => {
    const output = new RecordingOutput()
    const times: number[] = []
    const enough = new EventEmitter()
    output.beforeWrite = () => {
      times.push(performance.now())
      if (times.length === 6) enough.emit('enough')
      if (times.length < 6) throw new Error('down')
    }
    const { lane, push } = laneOf(output, { times: { ...quickTimes, firstPauseMs: 20, longestPauseMs: 100 } })
    lane.start(run)
    const written = once(enough, 'enough')
    push(logLine('a'))
    await written
    await lane.finish(enoughMs)
    const pauses = times.slice(1).map((time, index) => time - times[index]!)
    // Half of each pause is jitter: 20, 40, 80, 100, 100 at most.
    for (const [index, least] of [9, 19, 39, 49, 49].entries())
      assert.ok(pauses[index]! >= least, pauses.join(' '))
  })

  it('hands over everything, once, in order, however often calls fail', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { maxLength: 30 }),
        fc.integer({ min: 1, max: 7 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
        async (failures, batch, pushes) => {
          const output = new RecordingOutput({ batch })
          const calls = [...failures]
          const fail = () => {
            if (calls.shift() === true) throw new Error('down')
          }
          output.beforeOpen = fail
          output.beforeWrite = fail
          const times = { ...quickTimes, lingerMs: 1, firstPauseMs: 0, longestPauseMs: 1 }
          const { lane, push } = laneOf(output, { times })
          lane.start(run)
          const lines: string[] = []
          for (const count of pushes) {
            for (let index = 0; index < count; index++) lines.push(String(lines.length))
            push(...lines.slice(-count).map(logLine))
            await new Promise((resolve) => setImmediate(resolve))
          }
          await lane.finish(enoughMs)
          assert.deepEqual(textsOf(output), lines)
          assert.equal(output.mostWriting, lines.length > 0 ? 1 : 0)
          assert.ok(output.batches.every((size) => size <= batch))
          assert.deepEqual([lane.health().dropped, lane.health().written], [0, lines.length])
        },
      ),
      { numRuns: 60 },
    )
  })
})
