import assert from 'node:assert/strict'
import { codec } from '../../src/codec.ts'
import { agentToBrokerSchema, windowSchema, type WindowMessage } from '../../src/messages/agent-to-broker.ts'

const window: WindowMessage = {
  type: 'window',
  runId: 'r',
  number: 3,
  fromMs: 3000.25,
  toMs: 4000.5,
  final: false,
  activeUsers: 2,
  ledger: { planned: 10, started: 8, finished: 6, interrupted: 0, dropped: 2 },
  progress: [4, 7, 5, 1],
  delta: Uint8Array.of(1, 0, 0),
  generator: { eventLoopLagMs: 1.5, cpu: 0.25, gcMs: 12, latenessMs: 0.5, portsExhausted: false },
  rows: [{ feed: 'users.csv', used: [0, 10, 40, 1] }],
}

describe('what an agent says', () => {
  it('comes through the wire as it is', () => {
    for (const message of [
      window,
      { type: 'lease-rows', runId: 'r', feed: 'users.csv', size: 1000, count: 50 } as const,
      { type: 'stage-done', runId: 'r', stage: 2, units: 0 } as const,
    ]) {
      assert.deepEqual(codec.validate(agentToBrokerSchema, codec.decode(codec.encode(message))), message)
    }
  })

  it('does not leave out a field: each missing one is refused by name', () => {
    for (const part of ['ledger', 'generator'] as const) {
      for (const field of Object.keys(window[part])) {
        const rest = Object.fromEntries(Object.entries(window[part]).filter(([name]) => name !== field))
        assert.throws(
          () => codec.validate(windowSchema, { ...window, [part]: rest }),
          new RegExp(`^ProtocolError: ${part}\\.${field}: `),
        )
      }
    }
    for (const field of Object.keys(window)) {
      const rest = Object.fromEntries(Object.entries(window).filter(([name]) => name !== field))
      assert.throws(() => codec.validate(windowSchema, rest), new RegExp(`^ProtocolError: ${field}: `))
    }
  })
})
