import assert from 'node:assert/strict'
import { Control } from '../support/control.ts'

async function withProxy() {
  const control = await Control.start()
  await control.call('POST', '/proxies', { name: 'p', upstream: 'localhost:20001' })
  const add = (toxic: object | string) => control.call('POST', '/proxies/p/toxics', toxic)
  const update = (name: string, change: object, method = 'POST') =>
    control.call(method, `/proxies/p/toxics/${name}`, change)
  const list = async () => (await control.call('GET', '/proxies/p/toxics')).json
  return { control, add, update, list, [Symbol.asyncDispose]: () => control[Symbol.asyncDispose]() }
}

const names = (toxics: { name: string }[]) => toxics.map(({ name }) => name)

describe('toxics over HTTP', () => {
  it('#9 an empty list; one is added with its attributes and read back; default stream', async () => {
    await using api = await withProxy()
    assert.deepEqual(await api.list(), [])
    const { status, json } = await api.add({ type: 'latency', attributes: { latency: 100, jitter: 10 } })
    assert.equal(status, 200)
    assert.deepEqual(
      [json.name, json.type, json.stream, json.toxicity, json.attributes.latency, json.attributes.jitter],
      ['latency_downstream', 'latency', 'downstream', 1, 100, 10],
    )
    assert.deepEqual(await api.list(), [json])
    assert.deepEqual((await api.control.call('GET', '/proxies/p/toxics/latency_downstream')).json, json)
    assert.deepEqual((await api.control.call('GET', '/proxies/p')).json.toxics, [json])
  })

  it('#9 names are unique whatever the direction; default names allow one of a type for each', async () => {
    await using api = await withProxy()
    assert.equal((await api.add({ type: 'latency', name: 'a' })).status, 200)
    assert.equal((await api.add({ type: 'latency', name: 'b' })).status, 200)
    for (const stream of ['downstream', 'upstream']) {
      const { status, json } = await api.add({ type: 'noop', name: 'a', stream })
      assert.deepEqual([status, json.error, json.status], [409, 'toxic already exists', 409])
    }
    for (const stream of ['downstream', 'UPSTREAM'])
      assert.equal((await api.add({ type: 'bandwidth', stream })).status, 200)
    assert.equal((await api.add({ type: 'bandwidth' })).status, 409)
    assert.deepEqual(names(await api.list()), ['bandwidth_upstream', 'a', 'b', 'bandwidth_downstream'])
  })

  it('#9 an update merges attributes and keeps the toxicity, or the other way round; by POST and PATCH', async () => {
    await using api = await withProxy()
    await api.add({ type: 'latency', name: 'l', toxicity: 0.2, attributes: { latency: 100, jitter: 10 } })
    for (const method of ['POST', 'PATCH']) {
      const latency = method === 'POST' ? 200 : 300
      const { status, json } = await api.update('l', { attributes: { latency } }, method)
      assert.equal(status, 200)
      assert.deepEqual([json.attributes.latency, json.attributes.jitter, json.toxicity], [latency, 10, 0.2])
    }
    const { json } = await api.update('l', { toxicity: 0.7, name: 'x', type: 'noop', stream: 'upstream' })
    assert.deepEqual(
      [json.name, json.type, json.stream, json.toxicity, json.attributes.latency],
      ['l', 'latency', 'downstream', 0.7, 300],
    )
    assert.deepEqual(await api.list(), [json])
  })

  it('#9 removing, and what is not there', async () => {
    await using api = await withProxy()
    await api.add({ type: 'noop' })
    const removed = await api.control.call('DELETE', '/proxies/p/toxics/noop_downstream')
    assert.deepEqual([removed.status, removed.text], [204, ''])
    assert.deepEqual(await api.list(), [])
    for (const method of ['GET', 'POST', 'PATCH', 'DELETE']) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : {}
      const { status, json } = await api.control.call(method, '/proxies/p/toxics/noop_downstream', body)
      assert.deepEqual([status, json.error], [404, 'toxic not found'], method)
    }
  })

  it('#9 what is wrong is refused with the words that clients know, and more beside them', async () => {
    await using api = await withProxy()
    const refused = async (toxic: object | string) => {
      const { status, json } = await api.add(toxic)
      assert.equal(status, 400)
      return json
    }
    const stream = 'stream was invalid, can be either upstream or downstream'
    assert.equal((await refused({ type: 'latency', stream: 'sideways' })).error, stream)
    const unknown = await refused({ type: 'latenzy' })
    assert.equal(unknown.error, 'invalid toxic type')
    assert.match(unknown.detail, /latenzy.*latency/)
    assert.equal((await refused({ name: 'x' })).error, 'invalid toxic type')
    for (const attributes of [{ latency: -1 }, { latency: 'soon' }, { latency: [] }, [], 'x', 5])
      assert.match((await refused({ type: 'latency', attributes })).error, /^bad request body: /)
    for (const toxicity of [-0.1, 1.1, '1', {}])
      assert.equal((await api.add({ type: 'latency', toxicity })).status, 400)
    assert.equal((await api.add({ type: 'latency', name: 'x'.repeat(201) })).status, 400)
    assert.deepEqual(await api.list(), [])
  })

  it('keys in any case, null as absent, unknown keys ignored: traps 3 and 4', async () => {
    await using api = await withProxy()
    const { json } = await api.add(
      '{"Name":"n","TYPE":"latency","stream":null,"toxicity":null,"attributes":{"Latency":7,"jitter":null,"other":1},"foo":1}',
    )
    assert.deepEqual(
      [json.name, json.stream, json.toxicity, json.attributes.latency, json.attributes.jitter],
      ['n', 'downstream', 1, 7, 0],
    )
    assert.equal(json.attributes.other, undefined)
    const { json: updated } = await api.update('n', {
      Attributes: { LATENCY: null, Jitter: 3 },
      toxicity: null,
    })
    assert.deepEqual([updated.attributes.latency, updated.attributes.jitter, updated.toxicity], [7, 3, 1])
    // Types of ours have no clients that know other keys: there a slip of the pen is told.
    const slip = await api.add({ type: 'limit_time', attributes: { tiem: 5 } })
    assert.equal(slip.status, 400)
    assert.match(slip.json.error, /tiem/)
  })

  it('the equal variation of a slicer, and numbers as floats: trap 8', async () => {
    await using api = await withProxy()
    const { status, json } = await api.add(
      '{"type":"slicer","attributes":{"average_size":64.0,"size_variation":64.0,"delay":1e3}}',
    )
    assert.equal(status, 200)
    assert.deepEqual(
      [json.attributes.average_size, json.attributes.size_variation, json.attributes.delay],
      [64, 64, 1000],
    )
  })

  it('all types of faults are toxics, with their defaults shown', async () => {
    await using api = await withProxy()
    for (const type of ['limit_time', 'loss', 'blackhole', 'connect_delay', 'refuse', 'hang', 'error']) {
      const { status, json } = await api.add({ type })
      assert.equal(status, 200, `${type}: ${json.error}`)
      assert.equal(json.type, type)
    }
    assert.equal((await api.list()).length, 7)
  })
})
