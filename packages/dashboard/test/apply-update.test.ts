import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { RunEvent } from '@loads-runner/protocol'
import { applyUpdate } from '../src/apply-update.ts'
import { mostLogLines, type RunModel } from '../src/model.ts'
import { RunModeler } from '../src/run-modeler.ts'
import { sampleModel, sampleUpdates } from './support/sample-model.ts'
import { ScriptedRun } from './support/scripted-run.ts'

const overTheWire = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

type Step =
  | { do: 'seconds'; count: number }
  | { do: 'silence'; seconds: number }
  | { do: 'update' | 'skip' | 'finish' }
  | { do: 'late'; by: number }
  | {
      do: 'event'
      kind: 'note' | 'fault' | 'log' | 'control' | 'thresholds' | 'observation' | 'agent'
      text: string
    }

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('seconds' as const), count: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('seconds' as const), count: fc.integer({ min: 50, max: 900 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('silence' as const), seconds: fc.integer({ min: 1, max: 90 }) }),
  },
  { weight: 5, arbitrary: fc.constant({ do: 'update' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('late' as const), by: fc.integer({ min: 0, max: 100 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'skip' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('event' as const),
      kind: fc.constantFrom('note', 'fault', 'log', 'control', 'thresholds', 'observation', 'agent'),
      text: fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('__proto__', '<script>', 'constructor')),
    }),
  },
)

function eventOf(step: Extract<Step, { do: 'event' }>, run: ScriptedRun, elapsedMs: number): RunEvent {
  const at = run.startedAt + elapsedMs
  const published = { at, elapsedMs, source: 'somebody' }
  switch (step.kind) {
    case 'note':
      return { type: 'note', text: step.text, tags: {}, ...published }
    case 'fault':
      return {
        type: 'fault',
        id: String(step.text.length % 3),
        name: step.text,
        state: step.text.length % 2 === 0 ? 'begins' : 'ends',
        detail: '',
        ...published,
      }
    case 'log':
      return { type: 'log', at, level: 'info', source: 'broker', text: step.text }
    case 'control':
      return {
        type: 'control',
        at,
        elapsedMs,
        scenario: 'main',
        target: step.text.length,
        paused: step.text.length % 2 === 0,
        by: step.text,
      }
    case 'thresholds':
      return {
        type: 'thresholds',
        at,
        elapsedMs,
        states: [{ expression: step.text, value: step.text.length, ok: step.text.length % 2 === 0 }],
      }
    case 'observation':
      return { type: 'observation', values: Object.fromEntries([[step.text, elapsedMs]]), ...published }
    case 'agent': {
      const agent = run.snapshot().agents[step.text.length % 2]!
      return {
        type: 'agent',
        at,
        agent: { ...agent, state: step.text === '' ? 'lost' : 'suspect' },
        note: step.text,
      }
    }
  }
}

describe('applyUpdate', () => {
  it('brings a model to what the server would make afresh, whatever happens in between', function () {
    this.timeout(120_000)
    fc.assert(
      fc.property(
        fc.array(steps, { minLength: 3, maxLength: 25 }),
        fc.record({
          series: fc.integer({ min: 0, max: 6 }),
          open: fc.boolean(),
          warmUpMs: fc.constantFrom(0, 3_000),
          seed: fc.integer({ min: 1, max: 1_000 }),
        }),
        fc.boolean(),
        (script, options, finishes) => {
          const run = new ScriptedRun({ ...options, names: ['/a', '/b', '/c', '/a'] })
          const clock = { ms: 0 }
          const modeler = new RunModeler({ now: () => clock.ms })
          for (const event of run.begin()) modeler.apply(event)
          modeler.update(true)
          const mine: RunModel = overTheWire(modeler.model())
          const update = (whole: boolean) => {
            const news = modeler.update(whole)
            if (news !== null) applyUpdate(mine, overTheWire(news))
          }
          let silentMs = 0
          for (const step of script) {
            switch (step.do) {
              case 'seconds':
                for (let second = 0; second < step.count; second++) {
                  clock.ms += 1_000
                  modeler.apply(run.second())
                }
                silentMs = 0
                break
              case 'silence':
                clock.ms += step.seconds * 1_000
                silentMs += step.seconds * 1_000
                break
              case 'late':
                modeler.apply(run.late(step.by))
                break
              case 'skip':
                modeler.apply(run.snapshotNow())
                break
              case 'event':
                modeler.apply(eventOf(step, run, run.seconds * 1_000 + silentMs))
                break
              case 'update':
                update(false)
            }
          }
          if (finishes) modeler.apply(run.finished())
          update(true)
          assert.deepEqual(mine, overTheWire(modeler.model()))
          assert.equal(new Set(mine.points.fromMs).size, mine.points.fromMs.length)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('says nothing when nothing has happened', () => {
    const run = new ScriptedRun({ names: ['/a', '/b', '/c', '/a'] })
    const modeler = new RunModeler({ now: () => 0 })
    assert.equal(modeler.update(), null)
    for (const event of run.events(3)) modeler.apply(event)
    assert.notEqual(modeler.update(), null)
    assert.equal(modeler.update(), null)
  })

  it('sends what is new only', () => {
    const run = new ScriptedRun({ names: ['/a', '/b', '/c', '/a'], series: 50 })
    const clock = { ms: 0 }
    const modeler = new RunModeler({ now: () => clock.ms })
    for (const event of run.begin()) modeler.apply(event)
    for (let second = 0; second < 300; second++) modeler.apply(run.second())
    modeler.update(true)
    clock.ms += 1_000
    modeler.apply(run.second())
    const update = modeler.update()!
    assert.equal(update.points?.fromMs.length, 1)
    assert.equal(update.columns?.length, 1)
    assert.equal(update.allPoints, undefined)
    assert.ok(update.series!.every((row) => row.name === undefined && row.spark === undefined))
    assert.ok(JSON.stringify(update).length < JSON.stringify(modeler.model()).length / 5)
  })

  it('keeps as many log lines as the server', () => {
    const model = sampleModel({ seconds: 5 })
    const line = { at: 1, level: 'info', source: 's', text: 't' } as const
    applyUpdate(model, { log: Array.from({ length: mostLogLines + 5 }, () => line) })
    assert.equal(model.log.length, mostLogLines)
  })

  it('goes along with the sample', () => {
    const model = sampleModel({ seconds: 60, series: 20 })
    const updates = sampleUpdates(model)
    for (let second = 60; second < 90; second++) applyUpdate(model, updates.next().value)
    assert.deepEqual(
      model.points.fromMs,
      Array.from({ length: 90 }, (_, second) => second * 1000),
    )
    assert.deepEqual(
      model.points.p95.slice(0, 85),
      sampleModel({ seconds: 90, series: 20 }).points.p95.slice(0, 85),
    )
    assert.equal(model.series.length, 20)
  })

  it('imports nothing of Node', async () => {
    const { readFile } = await import('node:fs/promises')
    for (const file of ['model.ts', 'apply-update.ts']) {
      const text = await readFile(new URL(`../src/${file}`, import.meta.url), 'utf8')
      const imports = [...text.matchAll(/^(?:import|export) (?!type\b).* from '([^']+)'/gm)].map(
        ([, name]) => name,
      )
      assert.deepEqual(
        imports.filter((name) => name !== './model.ts'),
        [],
      )
    }
  })
})
