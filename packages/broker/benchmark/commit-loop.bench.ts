/**
 * How many windows a broker takes per second on one core: decoded, admitted, merged, encoded for its subscribers,
 * without channel and disk. Each agent sends one window per second.
 *
 *     node --import tsx packages/broker/benchmark/commit-loop.bench.ts
 */
import { Catalogue, Delta, DeltaEncoder, emptySeriesDelta } from '@loads-runner/metrics'
import type { WindowMessage } from '@loads-runner/protocol'
import { CommitLoop } from '../src/commit-loop.ts'
import { systemClock } from '../src/clock.ts'
import { noJournal } from '../src/journal.ts'
import { WindowStream } from '../src/window-intake.ts'

const rounds = 10

for (const [agents, series] of [
  [100, 20],
  [1000, 20],
  [1000, 100],
] as const) {
  const sent = Array.from({ length: agents }, () => windowsOf(series))
  const catalogue = new Catalogue(1000)
  const streams = sent.map((_, agent) => new WindowStream(`a${agent}`, catalogue, () => {}))
  const generator = { eventLoopLagMs: 0, cpu: 0, latenessMs: 0 }
  const counts = { started: 0, finished: 0, interrupted: 0, planned: 0, dropped: 0 }
  const sums = { at: 0, activeUsers: 0, elapsedMs: 0, ...counts, generator }
  let bytes = 0
  const loop = new CommitLoop({
    clock: systemClock,
    journal: noJournal,
    windowMs: 1000,
    warmUpMs: 0,
    incarnationOf: () => '1',
    figures: () => sums,
    complete: (waiting) => waiting.size === agents,
    onCommit: (_, event) => (bytes += event.delta.length),
    onDefect: (error) => {
      throw error
    },
  })
  const startedAt = performance.now()
  for (let round = 0; round < rounds; round++) {
    for (const [agent, stream] of streams.entries()) {
      const taken = stream.offer(sent[agent]![round]!, 0)
      if (taken !== 'duplicate') loop.add(taken)
    }
    loop.hurry()
  }
  const perRoundMs = (performance.now() - startedAt) / rounds
  const received = sent.reduce((sum, windows) => sum + windows[0]!.delta.length, 0) / agents
  console.log(
    `${agents} agents x ${series} series: ${perRoundMs.toFixed(1)} ms of a core per second of load, ` +
      `${Math.round((agents / perRoundMs) * 1000)} windows/s, first window ${Math.round(received)} B, ` +
      `${Math.round(bytes / rounds)} B per commit`,
  )
}

/** Windows of one agent, with about 30 buckets per series. */
function windowsOf(series: number): WindowMessage[] {
  const encoder = new DeltaEncoder()
  return Array.from({ length: rounds }, (_, number) => {
    const delta = new Delta()
    for (let index = 0; index < series; index++) {
      const key = {
        kind: 'http',
        test: 'T.test_x',
        name: `GET /${index}`,
        method: 'GET',
        status: '200',
        tags: {},
      } as const
      const each = emptySeriesDelta(key, null)
      each.count = 100
      each.sum = 100_000
      each.min = 500
      each.max = 9000
      each.buckets = new Map(Array.from({ length: 30 }, () => [200 + Math.floor(Math.random() * 90), 3]))
      delta.add(each)
    }
    return {
      type: 'window',
      runId: 'r',
      number,
      fromMs: number * 1000,
      toMs: number * 1000 + 1000,
      final: false,
      activeUsers: 0,
      ledger: { planned: 0, started: 0, finished: 0, interrupted: 0, dropped: 0 },
      progress: [],
      delta: encoder.encode(delta),
      generator: { eventLoopLagMs: 0, cpu: 0, gcMs: 0, latenessMs: 0, portsExhausted: false },
      rows: [],
    }
  })
}
