import assert from 'node:assert/strict'
import { codec } from '../../src/codec.ts'
import { agentToBrokerSchema } from '../../src/messages/agent-to-broker.ts'
import {
  annotationSchema,
  commitSchema,
  runEventSchema,
  type Annotation,
  type CommitEvent,
  type SnapshotEvent,
} from '../../src/messages/events.ts'
import { operatorToBrokerSchema } from '../../src/messages/operator.ts'
import { specOf } from '../../src/testing.ts'

const annotations: Annotation[] = [
  { type: 'note', text: 'deployed', tags: { version: '2' } },
  { type: 'fault', id: 'f1', name: 'kill', state: 'begins', detail: 'db-2' },
  { type: 'observation', values: { cpu: 0.5, connections: 12 } },
]

describe('annotations', () => {
  const check = (annotation: unknown) => codec.validate(annotationSchema, annotation)

  it('come through the wire as they are: from agents, from operators, and as events', () => {
    for (const annotation of annotations) {
      const said = { type: 'annotate', runId: 'r', annotation } as const
      assert.deepEqual(codec.validate(agentToBrokerSchema, codec.decode(codec.encode(said))), said)
      const asked = { ...said, requestId: 1 }
      assert.deepEqual(codec.validate(operatorToBrokerSchema, codec.decode(codec.encode(asked))), asked)
      const event = { ...annotation, at: 1, elapsedMs: 2.5, source: 'agent-1' }
      assert.deepEqual(codec.validate(runEventSchema, codec.decode(codec.encode(event))), event)
    }
  })

  it('do not leave out a field: each missing one is refused by name', () => {
    for (const annotation of annotations) {
      for (const field of Object.keys(annotation)) {
        const rest = Object.fromEntries(Object.entries(annotation).filter(([name]) => name !== field))
        assert.throws(() => check(rest), new RegExp(`^ProtocolError: ${field}: `))
      }
    }
  })

  it('have limits, and what is at a limit is taken', () => {
    const tags = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`tag ${index}`, 'x']))
    const [note, fault] = annotations as [object, object]
    const limits: [object, string, (size: number) => unknown, number][] = [
      [note, 'text', (size) => 'x'.repeat(size), 2000],
      [note, 'tags', (size) => tags(size), 20],
      [note, 'tags', (size) => ({ name: 'x'.repeat(size) }), 200],
      [note, 'tags', (size) => ({ ['x'.repeat(size)]: '' }), 200],
      [fault, 'id', (size) => 'x'.repeat(size), 200],
      [fault, 'name', (size) => 'x'.repeat(size), 500],
      [fault, 'detail', (size) => 'x'.repeat(size), 2000],
    ]
    for (const [annotation, field, make, most] of limits) {
      assert.doesNotThrow(() => check({ ...annotation, [field]: make(most) }), field)
      assert.throws(
        () => check({ ...annotation, [field]: make(most + 1) }),
        new RegExp(`^ProtocolError: ${field}`),
      )
    }
    assert.throws(() => check({ ...fault, state: 'began' }), /^ProtocolError: state: /)
  })

  it('leave out what the target has not measured, and take nothing that is no number', () => {
    const values = { a: 1, b: NaN, c: Infinity, d: -Infinity, e: -2.5 }
    assert.deepEqual(check({ type: 'observation', values }), {
      type: 'observation',
      values: { a: 1, e: -2.5 },
    })
    assert.throws(() => check({ type: 'observation', values: { a: null } }), /values\.a: a number is needed/)
  })

  it('of an operator that are wrong reach the broker, which can say so; what is no annotation at all does not', () => {
    const asked = { type: 'annotate', requestId: 1, runId: 'r' } as const
    const tooLong = { ...asked, annotation: { type: 'note', text: 'x'.repeat(9000), tags: {} } }
    assert.deepEqual(codec.validate(operatorToBrokerSchema, tooLong), tooLong)
    for (const annotation of [null, 'text', 1])
      assert.throws(() => codec.validate(operatorToBrokerSchema, { ...asked, annotation }))
    const said = { type: 'annotate', runId: 'r', annotation: tooLong.annotation }
    assert.throws(() => codec.validate(agentToBrokerSchema, said), /annotation\.text/)
  })
})

describe('commits and snapshots', () => {
  const counts = { started: 3, finished: 2, interrupted: 0, planned: 4, dropped: 0 }
  const commit: CommitEvent = {
    type: 'commit',
    at: 1,
    elapsedMs: 1010,
    windows: [
      {
        agent: 'a1',
        incarnation: '1',
        number: 0,
        fromMs: 0,
        toMs: 1000.5,
        activeUsers: 5,
        hits: 30,
        eventLoopLagMs: 1.5,
        cpu: 0.25,
        latenessMs: 0,
      },
    ],
    activeUsers: 5,
    ...counts,
    warmUp: false,
    generator: { eventLoopLagMs: 1.5, cpu: 0.25, latenessMs: 0 },
    delta: Uint8Array.of(1, 0, 0),
  }

  it('say how each agent did in its window, and leave out nothing of it', () => {
    assert.deepEqual(codec.validate(runEventSchema, codec.decode(codec.encode(commit))), commit)
    const [window] = commit.windows
    for (const field of Object.keys(window!)) {
      const rest = Object.fromEntries(Object.entries(window!).filter(([name]) => name !== field))
      assert.throws(
        () => codec.validate(commitSchema, { ...commit, windows: [rest] }),
        new RegExp(`^ProtocolError: windows\\.0\\.${field}: `),
      )
    }
  })

  it('hold notes and faults, with the agents as they are', () => {
    const [note, fault, observation] = annotations.map((each) => ({
      ...each,
      at: 1,
      elapsedMs: 0,
      source: 'conductor',
    }))
    const snapshot = {
      type: 'snapshot',
      at: 1,
      runId: 'r',
      state: 'running',
      spec: specOf({ outputs: ['json:all.json'] }),
      startedAt: 1,
      elapsedMs: 5,
      stage: 0,
      agents: [
        {
          id: 'a1',
          incarnation: '1',
          host: 'h',
          state: 'running',
          activeUsers: 5,
          hits: 30,
          windows: 1,
          windowsMissing: 2,
        },
      ],
      activeUsers: 5,
      ...counts,
      thresholds: [],
      annotations: [note, fault],
      delta: Uint8Array.of(1, 0, 0),
    } as SnapshotEvent
    assert.deepEqual(codec.validate(runEventSchema, codec.decode(codec.encode(snapshot))), snapshot)
    const wrong = { ...snapshot, annotations: [observation] }
    assert.throws(() => codec.validate(runEventSchema, wrong), /annotations\.0/)
  })
})
