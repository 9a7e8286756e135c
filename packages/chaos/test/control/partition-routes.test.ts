import assert from 'node:assert/strict'
import { partitionRoutes } from '../../src/control/partition-routes.ts'
import { PartitionMatrix } from '../../src/partition/partition-matrix.ts'
import { Control } from '../support/control.ts'

describe('routes of partitions', () => {
  it('part, tell, add, end and heal', async () => {
    const endpoints = { a: '127.0.0.1:1', b: '127.0.0.1:2', c: null }
    await using matrix = new PartitionMatrix({ endpoints })
    await using control = await Control.start({ modules: [partitionRoutes(matrix)] })
    const way = await control.call('GET', '/partitions/ways/a/b')
    assert.equal(way.status, 200)
    assert.equal(way.json.listen, await matrix.address('a', 'b'))

    const put = await control.call('PUT', '/partitions', { groups: [['a'], ['b', 'c']], mode: 'reset' })
    assert.equal(put.status, 200)
    assert.deepEqual(put.json.cuts, [
      { from: 'a', to: 'b', mode: 'reset', oneWay: false },
      { from: 'a', to: 'c', mode: 'reset', oneWay: false },
    ])
    assert.equal(put.json.ways[0].mode, 'reset')
    await control.call('PUT', '/partitions', { groups: [['a'], ['b']] })
    assert.equal(matrix.state().cuts.length, 1)

    const added = await control.call('POST', '/partitions/cuts', { from: 'b', to: 'c', oneWay: true })
    assert.equal(added.status, 201)
    const isolated = await control.call('POST', '/partitions/cuts', { isolate: 'c', mode: 'refuse' })
    assert.equal(isolated.status, 201)
    assert.equal((await control.call('GET', '/partitions')).json.cuts.length, 4)
    assert.equal((await control.call('DELETE', `/partitions/cuts/${isolated.json.id}`)).status, 204)
    assert.equal((await control.call('DELETE', `/partitions/cuts/${isolated.json.id}`)).status, 404)
    assert.equal(matrix.state().cuts.length, 2)
    assert.equal((await control.call('DELETE', '/partitions')).status, 204)
    assert.deepEqual(matrix.state().cuts, [])
    assert.equal((await control.call('DELETE', `/partitions/cuts/${added.json.id}`)).status, 404)
  })

  it('refuse what cannot be, and change nothing', async () => {
    await using matrix = new PartitionMatrix({ endpoints: { a: '127.0.0.1:1', b: '127.0.0.1:2' } })
    await using control = await Control.start({ modules: [partitionRoutes(matrix)] })
    await matrix.cut('a', 'b')
    const wrong: [string, string, unknown, number][] = [
      ['PUT', '/partitions', { groups: [['a'], ['d']] }, 400],
      ['PUT', '/partitions', { groups: [['a', 'b']] }, 400],
      ['PUT', '/partitions', { groups: [['a'], ['a']] }, 400],
      ['PUT', '/partitions', { groups: [['a'], ['b']], mode: 'softly' }, 400],
      ['PUT', '/partitions', {}, 400],
      ['POST', '/partitions/cuts', { from: 'a' }, 400],
      ['POST', '/partitions/cuts', { from: 'a', to: 'd' }, 404],
      ['POST', '/partitions/cuts', { from: 'a', to: 'b', oneWay: 'yes' }, 400],
      ['POST', '/partitions/cuts', { isolate: 'd' }, 404],
      ['GET', '/partitions/ways/a/d', undefined, 404],
    ]
    for (const [method, path, body, status] of wrong) {
      const answer = await control.call(method, path, body)
      assert.equal(answer.status, status, `${method} ${path} ${JSON.stringify(body)}: ${answer.text}`)
      assert.equal(typeof answer.json.error, 'string')
    }
    assert.equal(matrix.state().cuts.length, 1)
  })
})
