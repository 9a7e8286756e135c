import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Fifo } from '../../src/faults/fifo.ts'

describe('a queue', () => {
  it('keeps nothing of what has left it', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const queue = new Fifo<object>()
    const left: WeakRef<object>[] = []
    for (let at = 0; at < 100; at++) queue.push({ at })
    for (let at = 0; at < 50; at++) left.push(new WeakRef(queue.shift()!))
    await new Promise(setImmediate)
    collect()
    assert.equal(queue.length, 50)
    assert.equal(left.filter((each) => each.deref() !== undefined).length, 0)
  })
})
