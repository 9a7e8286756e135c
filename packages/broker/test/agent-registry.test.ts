import assert from 'node:assert/strict'
import { AgentRegistry, type AgentPeerConnection } from '../src/agent-registry.ts'

function link(): AgentPeerConnection & { closes: number } {
  const fake = { closes: 0, backlog: 0, send: () => true, close: async () => void fake.closes++ }
  return fake as unknown as AgentPeerConnection & { closes: number }
}

function identity(id: string, incarnation: string) {
  return { id, incarnation, host: 'h', pid: 1, version: '0', slots: 2, labels: {} }
}

describe('AgentRegistry', () => {
  it('keeps the agent when the same process dials again, over the new link only', () => {
    const registry = new AgentRegistry()
    const [first, second] = [link(), link()]
    const { agent } = registry.register(identity('a', '1'), first, 0)
    agent.runs.add('r1')
    const again = registry.register(identity('a', '1'), second, 5)
    assert.deepEqual([again.agent === agent, again.returned, again.replaced], [true, true, null])
    assert.equal(first.closes, 1)
    assert.ok(agent.uses(second) && !agent.uses(first))
    assert.equal(agent.lastHeardMs, 5)
    assert.equal(registry.candidates()[0]!.busy, 1)
  })

  it('has a new process of a name take the place of the old one, which cannot take it back', () => {
    const registry = new AgentRegistry()
    const old = link()
    const { agent } = registry.register(identity('a', '1'), old, 0)
    const next = registry.register(identity('a', '2'), link(), 0)
    assert.equal(next.replaced, agent)
    assert.equal(old.closes, 1)
    assert.ok(!registry.holds(agent) && registry.holds(next.agent))
    assert.equal(registry.isFenced(identity('a', '1')), true)
    assert.equal(registry.isFenced(identity('a', '3')), false)
    registry.register(identity('a', '3'), link(), 0)
    assert.equal(registry.isFenced(identity('a', '1')), true)
    assert.equal(registry.isFenced(identity('a', '2')), true)
    assert.equal(registry.size, 1)
    registry.remove(registry.get('a')!)
    assert.equal(registry.isFenced(identity('a', '1')), false)
  })

  it('remembers what a process has not released, and forgets it for a new one', () => {
    const registry = new AgentRegistry()
    const { agent } = registry.register(identity('a', '1'), link(), 0)
    agent.runs.add('r1')
    registry.remove(agent)
    assert.equal(registry.register(identity('a', '1'), link(), 0).agent.runs.has('r1'), true)
    assert.equal(registry.register(identity('a', '2'), link(), 0).agent.runs.size, 0)
  })

  it('offers only agents that can be reached', () => {
    const registry = new AgentRegistry()
    const { agent } = registry.register(identity('a', '1'), link(), 0)
    registry.register(identity('b', '1'), link(), 0)
    agent.relink(null)
    assert.deepEqual(registry.candidates(), [{ id: 'b', host: 'h', slots: 2, busy: 0 }])
    assert.equal(agent.send({ type: 'ack', runId: 'r', number: 0 }), false)
  })
})
