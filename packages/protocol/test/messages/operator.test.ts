import assert from 'node:assert/strict'
import { codec } from '../../src/codec.ts'
import { brokerToAgentSchema } from '../../src/messages/broker-to-agent.ts'
import { runEventSchema } from '../../src/messages/events.ts'
import { brokerToOperatorSchema, operatorToBrokerSchema, type RunRow } from '../../src/messages/operator.ts'

const row: RunRow = {
  runId: 'r',
  state: 'done',
  names: ['example'],
  project: null,
  user: 'ann',
  submittedAt: 1,
  startedAt: 2,
  endedAt: 3,
  labels: { branch: 'main' },
  agents: ['a1'],
  hits: 4,
  verdict: 'passed',
}

describe('the list of runs', () => {
  it('is watched with a request, and rows come through the wire as they are', () => {
    const watch = { type: 'watch-runs', requestId: 1 } as const
    assert.deepEqual(codec.validate(operatorToBrokerSchema, codec.decode(codec.encode(watch))), watch)
    for (const each of [row, { ...row, endedAt: null, verdict: null, labels: {} }]) {
      const told = { type: 'run', row: each } as const
      assert.deepEqual(codec.validate(brokerToOperatorSchema, codec.decode(codec.encode(told))), told)
    }
  })

  it('does not leave out a field: each missing one is refused by name', () => {
    for (const field of Object.keys(row)) {
      const rest = Object.fromEntries(Object.entries(row).filter(([name]) => name !== field))
      assert.throws(
        () => codec.validate(brokerToOperatorSchema, { type: 'run', row: rest }),
        new RegExp(`^ProtocolError: row\\.${field}: `),
      )
    }
  })
})

describe('control of a run', () => {
  const control = {
    type: 'control',
    requestId: 1,
    runId: 'r',
    scenario: null,
    target: null,
    paused: null,
  } as const

  it('comes through the wire as it is, from the console, to the agents, and to those who watch', () => {
    for (const request of [control, { ...control, scenario: 'buy', target: 2.5, paused: true }]) {
      assert.deepEqual(codec.validate(operatorToBrokerSchema, codec.decode(codec.encode(request))), request)
    }
    const changes = [{ atMs: 300.5, target: 0, paused: true }]
    const told = { type: 'control', runId: 'r', stage: 1, changes } as const
    assert.deepEqual(codec.validate(brokerToAgentSchema, codec.decode(codec.encode(told))), told)
    const event = {
      type: 'control',
      at: 1,
      elapsedMs: 2,
      scenario: 'buy',
      target: 3,
      paused: false,
      by: 'ann@desk',
    } as const
    assert.deepEqual(codec.validate(runEventSchema, codec.decode(codec.encode(event))), event)
  })

  it('has no target that is not a number from 0 on', () => {
    for (const target of [-1, NaN, '5', undefined]) {
      assert.throws(
        () => codec.validate(operatorToBrokerSchema, { ...control, target }),
        /^ProtocolError: target: /,
      )
    }
  })
})
