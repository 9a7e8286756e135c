import assert from 'node:assert/strict'
import { findProtocol, knownProtocols } from '../../src/protocols/registry.ts'
import { fromVaurien } from '../../src/rules/vaurien-options.ts'
import { parseRule } from '../../src/rules/parse-rule.ts'

describe('options as Vaurien called them', () => {
  const [tcp, redis] = [findProtocol('tcp'), findProtocol('redis')]

  it('have names of ours', () => {
    assert.deepEqual(fromVaurien('error', tcp, { inject: true, warmup: 5 }), { mode: 'inject', skip: 5 })
    assert.deepEqual(fromVaurien('error', tcp, { inject: 'false' }), { mode: 'replace' })
    assert.deepEqual(fromVaurien('transient', tcp, { agitate: 3, warmup: '2', inject: '' }), {
      agitate: 3,
      skip: '2',
      mode: 'inject',
    })
    assert.deepEqual(fromVaurien('delay', tcp, { sleep: 2, before: false, warmup: 1 }), {
      sleep: 2,
      before: false,
      warmup: 1,
    })
  })

  it('say nothing where errors are real ones', () => {
    assert.deepEqual(fromVaurien('error', redis, { inject: true, warmup: 5, statuses: '-ERR' }), {
      skip: 5,
      statuses: '-ERR',
    })
  })

  it('are right on every protocol', () => {
    for (const protocol of knownProtocols())
      for (const type of ['error', 'transient']) {
        const attributes = fromVaurien(type, protocol, { inject: true, warmup: 5 })
        assert.equal(parseRule({ type, attributes }, protocol).skip, 5)
      }
  })
})
