import assert from 'node:assert/strict'
import { ServiceStartError } from '../src/errors.ts'
import { LocalCluster } from '../src/local-cluster.ts'
import { ProcessService } from '../src/process-service.ts'
import type { Exit, Service } from '../src/service.ts'
import { goneWithin, patient, script, scripts } from './scripts.ts'

/** A service that only writes down what is done with it. */
class NotedService implements Service {
  readonly name: string
  readonly #notes: string[]
  readonly #fault: 'start' | 'stop' | null
  running = false

  constructor(name: string, notes: string[], fault: 'start' | 'stop' | null = null) {
    this.name = name
    this.#notes = notes
    this.#fault = fault
  }

  async start(): Promise<void> {
    this.#notes.push(`start ${this.name}`)
    if (this.#fault === 'start') throw new Error(`${this.name} does not start`)
    this.running = true
  }

  async stop(): Promise<void> {
    this.#notes.push(`stop ${this.name}`)
    if (this.#fault === 'stop') throw new Error(`${this.name} does not stop`)
    this.running = false
  }

  async wait(): Promise<Exit> {
    return { code: 0, signal: null }
  }
}

describe('LocalCluster', () => {
  it('stops in reverse order, once', async () => {
    const notes: string[] = []
    const cluster = new LocalCluster()
    await cluster.add(new NotedService('broker', notes))
    await cluster.add(new NotedService('agent 1', notes), new NotedService('agent 2', notes))
    await cluster.add(new NotedService('page', notes))
    assert.deepEqual(
      cluster.services.map((each) => each.name),
      ['broker', 'agent 1', 'agent 2', 'page'],
    )
    notes.length = 0
    await Promise.all([cluster.stop(), cluster.stop()])
    assert.deepEqual(notes, ['stop page', 'stop agent 1', 'stop agent 2', 'stop broker'])
    assert.ok(cluster.services.every((each) => !each.running))
    await assert.rejects(cluster.add(new NotedService('late', notes)), { code: 'CLUSTER_STOPPED' })
    assert.ok(!notes.includes('start late'))
  })

  it('stops all when one does not start, and throws its error', async () => {
    const notes: string[] = []
    const cluster = new LocalCluster()
    await cluster.add(new NotedService('broker', notes, 'stop'))
    await assert.rejects(cluster.add(new NotedService('agent', notes, 'start')), {
      message: 'agent does not start',
    })
    assert.deepEqual(notes, ['start broker', 'start agent', 'stop agent', 'stop broker'])
  })

  it('goes on stopping when one cannot be stopped, and tells of all that could not', async () => {
    const notes: string[] = []
    const cluster = new LocalCluster()
    for (const name of ['a', 'b', 'c'])
      await cluster.add(new NotedService(name, notes, name === 'b' ? null : 'stop'))
    await assert.rejects(cluster.stop(), (error: AggregateError) => {
      assert.deepEqual(
        error.errors.map((each: Error) => each.message),
        ['c does not stop', 'a does not stop'],
      )
      return true
    })
    assert.ok(notes.includes('stop b'))
  })

  it('stops what is starting, and the start says so', async () => {
    const cluster = new LocalCluster()
    const slow = new ProcessService({
      name: 'slow',
      readLine: true,
      ...patient,
      ...script('setInterval(() => {}, 1000)'),
    })
    const adding = cluster.add(slow)
    await cluster.stop()
    await assert.rejects(adding, { code: 'CLUSTER_STOPPED' })
    assert.equal(slow.running, false)
    if (slow.pid !== null) assert.equal(await goneWithin([slow.pid], 0), true)
  })

  it('leaves no process behind when the second of two real ones fails', async () => {
    const cluster = new LocalCluster()
    const first = new ProcessService({
      name: 'first',
      readLine: true,
      ...patient,
      stopGraceMs: 300,
      ...script(scripts.withGrandchild(scripts.stubborn)),
    })
    await cluster.add(first)
    const grandchild = Number(await first.announced(0))
    const second = new ProcessService({
      name: 'second',
      readLine: true,
      ...patient,
      ...script('process.exit(1)'),
    })
    await assert.rejects(cluster.add(second), ServiceStartError)
    assert.equal(await goneWithin([first.pid!, grandchild], 0), true)
  })
})
