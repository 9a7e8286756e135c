import assert from 'node:assert/strict'
import { provideProxies, type FaultScope } from '../src/proxies.ts'
import { TestCase } from '../src/test-case.ts'
import { keepUserSockets, releaseUser, restoreProxies } from '../src/user-link.ts'

class TestShop extends TestCase {}

describe('this.proxies', () => {
  let ended: string[] = []
  let open: (name: string) => FaultScope
  let used: string[] = []

  beforeEach(() => {
    ;[ended, used] = [[], []]
    provideProxies((use, opened) => {
      used.push(use)
      open = (name) => {
        const end = async () => void ended.push(name)
        const scope = { end, [Symbol.asyncDispose]: end }
        opened(scope)
        return scope
      }
      return {}
    })
  })
  afterEach(() => provideProxies(null))

  it('are asked for once per user, as a user', () => {
    const test = new TestShop()
    assert.equal(test.proxies, test.proxies)
    assert.deepEqual(used, ['user'])
  })

  it('are as before after an execution, the latest change first', async () => {
    const test = new TestShop()
    assert.equal(restoreProxies(test), undefined)
    void test.proxies
    assert.equal(restoreProxies(test), undefined)
    open('one')
    open('two')
    await restoreProxies(test)
    assert.deepEqual(ended, ['two', 'one'])
    assert.equal(restoreProxies(test), undefined)
  })

  it('keep what setUpUser did until the user ends', async () => {
    const test = new TestShop()
    void test.proxies
    open('of the user')
    keepUserSockets(test)
    open('of the execution')
    await restoreProxies(test)
    assert.deepEqual(ended, ['of the execution'])
    await releaseUser(test)
    assert.deepEqual(ended, ['of the execution', 'of the user'])
  })

  it('restore all of them although one cannot be, and say so', async () => {
    const test = new TestShop()
    void test.proxies
    open('one')
    open('two').end = () => Promise.reject(new Error('gone'))
    await assert.rejects(restoreProxies(test)!, /^Error: gone$/)
    assert.deepEqual(ended, ['one'])
  })

  it('say what is missing where nothing speaks to them', () => {
    provideProxies(null)
    assert.throws(
      () => new TestShop().proxies,
      /run the test with loads-runner, or import 'loads-runner' first/,
    )
  })
})
