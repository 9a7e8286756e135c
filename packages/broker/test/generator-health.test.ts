import assert from 'node:assert/strict'
import type { WindowMessage } from '@loads-runner/protocol'
import { GeneratorHealth } from '../src/generator-health.ts'

/** Windows of a second, one after another per agent. */
class Told {
  readonly health: GeneratorHealth
  readonly #next = new Map<string, number>()

  constructor(isOpen = false) {
    this.health = new GeneratorHealth(isOpen)
  }

  take(
    agent: string,
    generator: Partial<WindowMessage['generator']> = {},
    workers = 1,
    isWarmUp = false,
  ): void {
    const fromMs = this.#next.get(agent) ?? 0
    this.#next.set(agent, fromMs + 1000)
    const calm = { eventLoopLagMs: 1, cpu: 0.1, gcMs: 0, latenessMs: 0, portsExhausted: false }
    const window = { fromMs, toMs: fromMs + 1000, generator: { ...calm, ...generator } }
    this.health.take(agent, workers, window, isWarmUp)
  }
}

describe('GeneratorHealth', () => {
  it('knows nothing before the first window', () => {
    const health = new GeneratorHealth(true)
    assert.deepEqual(
      [health.lagP99(), health.cpu(), health.gcShare(), health.limit()],
      [null, null, null, null],
    )
    assert.deepEqual([health.warnings(), health.tainted()], [[], []])
  })

  it('warns of an agent that was late in more than 5 % of its windows, and of no other', () => {
    const told = new Told()
    for (let index = 0; index < 100; index++) {
      told.take('a1', { eventLoopLagMs: index < 6 ? 25 : 1 })
      told.take('a2', { eventLoopLagMs: index < 5 ? 25 : 1 })
    }
    assert.equal(told.health.warnings().length, 1)
    assert.match(
      told.health.warnings()[0]!,
      /^a1 was late: event-loop lag above 10 ms in 6 % of the windows; use fewer users per agent/,
    )
    assert.equal(told.health.lagP99(), 25)
  })

  it('says it once for all late agents', () => {
    const told = new Told()
    for (let index = 0; index < 100; index++) {
      for (const [agent, late] of [
        ['a1', 20],
        ['a2', 30],
        ['a3', 50],
        ['a4', 40],
      ] as const) {
        told.take(agent, { eventLoopLagMs: index < late ? 25 : 1 })
      }
    }
    assert.equal(told.health.warnings().length, 1)
    assert.match(told.health.warnings()[0]!, /^a1, a2 and 2 more were late: .* in 20 to 50 % of the windows/)
  })

  it('warns of an agent all of whose load threads are busy', () => {
    const told = new Told()
    for (let index = 0; index < 3; index++) {
      told.take('a1', { cpu: 1.9 }, 2)
      told.take('a2', { cpu: 1.5 }, 2)
    }
    assert.deepEqual(
      told.health.warnings().map((text) => text.slice(0, 2)),
      ['a1'],
    )
    assert.equal(told.health.cpu(), 3.4)
  })

  it('warns of garbage, of late starts and of ports that ran out, and says what to do', () => {
    const told = new Told()
    for (let index = 0; index < 4; index++) {
      told.take('a1', { gcMs: 150 })
      told.take('a2', { latenessMs: 12 })
      told.take('a3', { portsExhausted: index === 2 })
    }
    const warnings = told.health.warnings()
    assert.equal(warnings.length, 3)
    assert.match(
      warnings[0]!,
      /^a2 was late with starts although users were free: above 10 ms in 100 % .*; use a lower rate/,
    )
    assert.match(warnings[1]!, /^a1 was collecting garbage for more than 10 % of the time; make less of it/)
    assert.match(warnings[2]!, /^a3 was out of local ports: .*; keep connections alive/)
    assert.equal(told.health.gcShare(), 0.15)
  })

  it('does not judge by the first two windows of a run', () => {
    const told = new Told(true)
    for (let index = 0; index < 2; index++) told.take('a1', { eventLoopLagMs: 50, cpu: 1 })
    assert.deepEqual([told.health.warnings(), told.health.limit()], [[], null])
    told.take('a1', { eventLoopLagMs: 50, cpu: 1 })
    assert.equal(told.health.warnings().length, 1)
    assert.notEqual(told.health.limit(), null)
  })

  it('does not judge by the warm-up', () => {
    const told = new Told(true)
    for (let index = 0; index < 10; index++) told.take('a1', { eventLoopLagMs: 50 }, 1, true)
    for (let index = 0; index < 10; index++) told.take('a1')
    assert.deepEqual([told.health.warnings(), told.health.limit(), told.health.tainted()], [[], null, []])
    assert.equal(told.health.lagP99(), 1)
  })

  it('is the limit of an open model when lag or lateness is above 10 ms in over 5 % of the windows', () => {
    for (const generator of [{ eventLoopLagMs: 11 }, { latenessMs: 11 }]) {
      const [open, closed, nearly] = [new Told(true), new Told(false), new Told(true)]
      for (let index = 0; index < 100; index++) {
        open.take('a1', index < 6 ? generator : {})
        closed.take('a1', index < 6 ? generator : {})
        nearly.take('a1', index < 5 ? generator : {})
      }
      assert.match(
        open.health.limit()!,
        /^generator-limited: a1 was late by more than 10 ms in 6 % of the windows/,
      )
      assert.deepEqual([closed.health.limit(), nearly.health.limit()], [null, null])
      assert.equal(closed.health.warnings().length, 1)
    }
  })

  it('names the times in which an agent did not keep up, joined where they touch', () => {
    const told = new Told()
    const windows = [
      {},
      { eventLoopLagMs: 20 },
      { eventLoopLagMs: 30 },
      {},
      { gcMs: 200, cpu: 1, portsExhausted: true },
    ]
    for (const generator of windows) told.take('a2', generator)
    told.take('a1', { latenessMs: 11 })
    assert.deepEqual(told.health.tainted(), [
      { agent: 'a1', fromSecond: 0, toSecond: 1, reasons: ['lateness'] },
      { agent: 'a2', fromSecond: 1, toSecond: 3, reasons: ['event-loop-lag'] },
      { agent: 'a2', fromSecond: 4, toSecond: 5, reasons: ['cpu', 'gc', 'ports'] },
    ])
  })

  it('keeps a bounded number of them, and covers the rest', () => {
    const told = new Told()
    for (let index = 0; index < 5000; index++) told.take('a1', index % 2 === 0 ? { gcMs: 200 } : {})
    const tainted = told.health.tainted()
    assert.equal(tainted.length, 500)
    assert.equal(tainted.at(-1)!.toSecond, 4999)
  })

  it('gives the worst lag and lateness and the sum of cores of those asked for', () => {
    const told = new Told()
    told.take('a1', { eventLoopLagMs: 3, cpu: 0.5, latenessMs: 2 })
    told.take('a2', { eventLoopLagMs: 8, cpu: 0.25 })
    told.take('a2', { eventLoopLagMs: 5, cpu: 0.5, latenessMs: 1 })
    told.take('a3', { eventLoopLagMs: 90, cpu: 1 })
    assert.deepEqual(told.health.latest(['a1', 'a2', 'unknown']), {
      eventLoopLagMs: 5,
      cpu: 1,
      latenessMs: 2,
    })
  })
})
