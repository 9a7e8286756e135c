import assert from 'node:assert/strict'

import { knownProtocols } from '../../src/protocols/registry.ts'
import { RuleSet } from '../../src/rules/rule-set.ts'

describe('needsProtocol', () => {
  it('an error of one protocol is refused for all others', () => {
    const faults = knownProtocols().flatMap(({ name, error }) => (name === 'tcp' ? [] : [error.type]))
    assert.equal(faults.length, 6)
    for (const type of faults)
      for (const protocol of knownProtocols()) {
        const add = (): unknown => new RuleSet(protocol, () => {}).add({ type })
        if (protocol.error.type === type) add()
        else assert.throws(add, { code: 'CHAOS_ATTRIBUTE', message: /it needs the protocol/ })
      }
  })
})
