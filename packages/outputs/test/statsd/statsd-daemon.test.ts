import assert from 'node:assert/strict'
import { createStatsd } from '../../src/statsd/statsd-output.ts'
import { fixtureSummary, namesOf } from '../../src/testing.ts'
import { playInto } from '../files/directory.ts'
import { environmentOf } from '../recording-output.ts'
import { StatsdDaemon } from './support/daemon.ts'

describe('statsd, the daemon of npm', () => {
  let daemon: StatsdDaemon

  beforeEach(async () => void (daemon = await StatsdDaemon.start()))
  afterEach(() => daemon.stop())

  for (const names of ['plain', 'hostile'] as const)
    it(`understands every line of a run with ${names} names, and counts what the summary counts`, async () => {
      const output = createStatsd(`127.0.0.1:${daemon.port}?prefix=shop`, environmentOf())
      const { health } = await playInto([output], { names })
      assert.equal(health[0]!.dropped, 0)
      const { hits, tests, counters } = fixtureSummary({ names })
      assert.equal(await daemon.sumOf('shop.hits', hits.count), hits.count)
      assert.equal(await daemon.sumOf('shop.failed', hits.failed), hits.failed)
      assert.equal(await daemon.sumOf('shop.executions', tests.finished), tests.finished)
      const custom = namesOf(names).counter.replace(/[^\w-]/g, '_')
      const [value] = Object.values(counters)
      assert.equal(await daemon.sumOf(`shop.counter.${custom}`, value!), value)
      assert.equal(await daemon.sumOf('statsd.bad_lines_seen', 0), 0)
      const gauges = daemon.gauges()
      assert.equal(gauges['shop.users'], 10)
      assert.ok(gauges['shop.p95']! > 0)
    })
})
