import assert from 'node:assert/strict'
import { codec } from '../../src/codec.ts'
import { brokerToAgentSchema } from '../../src/messages/broker-to-agent.ts'
import { operatorToBrokerSchema } from '../../src/messages/operator.ts'
import { redacted, runSpecSchema } from '../../src/messages/run-spec.ts'
import type { RunSpec } from '../../src/messages/run-spec.ts'

const spec: RunSpec = {
  names: ['example.TestWebSite.test_es'],
  tests: [{ label: 'TestWebSite.test_es', className: 'TestWebSite', method: 'test_es', weight: 1 }],
  profile: { stages: [{ users: 10, iterations: 5, durationMs: null }], rampUpMs: 0, delayMs: 0 },
  seed: 1,
  agents: 3,
  workers: null,
  target: {
    serverUrl: 'http://127.0.0.1:9000',
    timeoutMs: 30_000,
    insecure: false,
    ca: null,
    cert: 'certificate',
    key: 'private key',
    proxy: null,
  },
  params: { size: '3' },
  env: { LANG: 'C' },
  secrets: { TOKEN: 'hush', EMPTY: '' },
  labels: {},
  project: null,
  user: null,
  testRunner: null,
  bundle: 'ab12',
  conducted: false,
  windowMs: 1_000,
  maxSeries: 1_000,
  minCoverage: 1,
  onAgentLoss: 'respread',
  leaseMs: 6_000,
  maxOrphanMs: 30_000,
  drainMs: 30_000,
  testTimeoutMs: 60_000,
  waitForAgentsMs: 10_000,
}

describe('run spec', () => {
  it('comes through the wire as it is, inside the messages that carry it', () => {
    const submit = { type: 'submit', requestId: 1, spec } as const
    assert.deepEqual(codec.validate(operatorToBrokerSchema, codec.decode(codec.encode(submit))), submit)
    const prepare = {
      type: 'prepare',
      runId: 'r',
      spec,
      share: { ranges: [{ first: 0, count: 4 }] },
    } as const
    assert.deepEqual(codec.validate(brokerToAgentSchema, codec.decode(codec.encode(prepare))), prepare)
  })

  it('does not leave out a field: each missing one is refused by name', () => {
    for (const field of Object.keys(spec)) {
      const { [field as keyof RunSpec]: _, ...rest } = spec
      assert.throws(() => codec.validate(runSpecSchema, rest), new RegExp(`^ProtocolError: ${field}: `))
    }
  })

  it('redacted, has the names of secrets and no value of them, and is still a spec', () => {
    const shown = redacted(spec)
    assert.deepEqual(shown.secrets, { TOKEN: '[redacted]', EMPTY: '[redacted]' })
    assert.equal(shown.target.key, '[redacted]')
    assert.equal(redacted({ ...spec, target: { ...spec.target, key: null } }).target.key, null)
    assert.deepEqual(codec.validate(runSpecSchema, shown), shown)
    assert.ok(!JSON.stringify(shown).includes('hush'))
    assert.ok(!JSON.stringify(shown).includes('private key'))
    assert.equal(spec.secrets['TOKEN'], 'hush')
  })
})
