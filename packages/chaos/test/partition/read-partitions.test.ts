import assert from 'node:assert/strict'
import { readConfig } from '../../src/config/read-config.ts'
import { ChaosError } from '../../src/errors.ts'

const good = `
proxies:
  web: { backend: 'localhost:80', protocol: http }
partitions:
  endpoints:
    broker: 127.0.0.1:4000
    standby: '[::1]:4000'
    agent:
  ways:
    - { from: agent, to: broker, listen: '127.0.0.1:4001' }
    - { from: standby, to: broker }
schedule:
  - { at: 30s, for: 10s, fault: error, rate: 20%, statuses: [503] }
  - { at: 1m, for: 5s, partition: [[agent], [broker, standby]], mode: reset }
`

describe('partitions and schedules of a file', () => {
  it('are read, as plain data', () => {
    const { partitions, schedule } = readConfig(good, 'proxies.yaml', {})
    assert.deepEqual(partitions, {
      endpoints: { broker: '127.0.0.1:4000', standby: '[::1]:4000', agent: null },
      ways: [
        { from: 'agent', to: 'broker', listen: '127.0.0.1:4001' },
        { from: 'standby', to: 'broker', listen: '127.0.0.1:0' },
      ],
    })
    assert.deepEqual(
      schedule?.map(({ name }) => name),
      ['error at web', 'partition agent | broker+standby'],
    )
    assert.deepEqual(JSON.parse(JSON.stringify({ partitions, schedule })), { partitions, schedule })
  })

  it('all that is wrong is told with its line', () => {
    const bad = good
      .replace('127.0.0.1:4000', 'nowhere')
      .replace('from: agent', 'from: agnt')
      .replace('to: broker }', 'to: agent }')
      .replace('rate: 20%', 'rate: 200%')
      .replace('standby]]', 'stand]]')
    assert.throws(
      () => readConfig(bad, 'proxies.yaml', {}),
      (error) => {
        assert.ok(error instanceof ChaosError)
        for (const pattern of [
          /proxies.yaml:6:\d+: backend must be HOST:PORT/,
          /way 1: there is no endpoint agnt/,
          /way 2: agent has no address to open connections to/,
          /proxies.yaml:13:\d+: .*rate.* must be a share/,
          /proxies.yaml:14:\d+: there is no endpoint stand; there are broker, standby, agent/,
        ])
          assert.match(error.message, pattern)
        return true
      },
    )
  })
})
