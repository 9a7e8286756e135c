import assert from 'node:assert/strict'
import { codec } from '../../src/codec.ts'
import { brokerToAgentSchema } from '../../src/messages/broker-to-agent.ts'
import { runEventSchema } from '../../src/messages/events.ts'
import { operatorToBrokerSchema } from '../../src/messages/operator.ts'

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
    const event = { type: 'control', at: 1, elapsedMs: 2, scenario: 'buy', target: 3, paused: false } as const
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
