import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CapacityReport } from '../packages/loads-runner/src/capacity/report.ts'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { runCli } from './helpers/run-cli.ts'
import { sideBySide } from './helpers/side-by-side.ts'

const visits = (url: string, body = '') => ({
  'example.ts': `
    import { TestCase } from 'loads-runner'
    export class TestVisit extends TestCase {
      async test_visit() { await this.session.get('${url}/'); ${body} }
    }`,
})
const search = ['example.TestVisit', '--find-capacity', 'med<5s, errors<1%', '--capacity-step']

/**
 * A target that serves one request at a time, each for 8 ms: up to 125 requests a second wait for nothing, above it each
 * waits longer than the one before. By its clock, so that late timers make it no slower.
 */
const serviceMs = 8
async function startQueue(): Promise<OwnServer> {
  let busyUntil = 0
  return startServer((_request, response) => {
    const now = performance.now()
    busyUntil = Math.max(now, busyUntil) + serviceMs
    setTimeout(() => response.end('{}'), busyUntil - now)
  })
}

describe('the knee of a target', function () {
  this.timeout(120_000)
  // Most of the answers: a hiccup of this machine makes a few of them late.
  const objective = ['example.TestVisit', '--find-capacity', 'med<100ms, errors<1%']
  const short = ['--capacity-step', '1s', '--capacity-tolerance', '0.25', '--json', 'found.json']

  const find = async (...load: string[]): Promise<CapacityReport> => {
    const server = await startQueue()
    const run = await runCli([...objective, ...short, ...load], {
      files: visits(server.url),
      json: false,
      timeoutMs: 110_000,
    })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    const report = JSON.parse(await readFile(join(run.directory, 'found.json'), 'utf8')) as CapacityReport
    const latest = join(run.directory, 'results', 'latest')
    assert.deepEqual(JSON.parse(await readFile(join(latest, 'capacity.json'), 'utf8')), report)
    assert.match(await readFile(join(latest, 'capacity.svg'), 'utf8'), /^<svg [^]*<\/svg>\s*$/)
    assert.equal(report.complete, true)
    for (const { target, outcome, p50 } of report.steps)
      if (outcome === 'held') assert.ok(p50! < 100, `${target} holds with a median of ${p50} ms`)
    return report
  }

  const byUsers = ['--controlled', 'users', '--users', '64', '--start', '8']

  sideBySide({
    'is found as a rate': async () => {
      const { capacity, failsAt, controls } = await find('--rate', '80/s', '--users', '300')
      assert.equal(controls, 'rate')
      // More than 1000 / 8 fall behind by themselves; one second of 160/s ends 280 ms behind.
      assert.ok(capacity! >= 40 && capacity! < 160, `${capacity}/s`)
      assert.ok(failsAt! > capacity! && failsAt! <= 160, `fails at ${failsAt}/s`)
    },

    'is found as a number of users': async () => {
      const { capacity, failsAt, controls } = await find(...byUsers)
      assert.equal(controls, 'users')
      // Each waits for all the others: 12 users for 96 ms.
      assert.ok(capacity! >= 4 && capacity! <= 13, `${capacity} users`)
      assert.ok(failsAt! > capacity! && failsAt! <= 16, `fails at ${failsAt} users`)
    },
  })
})

describe('the search for capacity', function () {
  this.timeout(120_000)

  it('drives a cluster up to the highest load that is allowed, and leaves its curve', async () => {
    const server = await startServer()
    // So few a second that a hiccup leaves hardly one of them for the second after it.
    const load = ['--agents', '2', '--rate', '10', '--capacity-max', '15']
    const run = await runCli([...search, '2s', ...load, '--json', 'found.json'], {
      files: visits(server.url),
      json: false,
      timeoutMs: 100_000,
    })
    assert.equal(run.exitCode, 0, run.stderr)
    const report = JSON.parse(await readFile(join(run.directory, 'found.json'), 'utf8')) as CapacityReport
    assert.equal(report.schema, 'loads.capacity/1')
    assert.deepEqual(
      [report.capacity, report.failsAt, report.limit, report.confirmed, report.complete],
      [15, null, 'most', true, true],
    )
    assert.match(
      run.stdout,
      /^The target holds med<5s, errors<1% up to 15\/s \(confirmed, \d+ steps\); .*--capacity-max/m,
    )
    assert.match(run.stdout, /^p95 by load/m)
    const latest = join(run.directory, 'results', 'latest')
    assert.deepEqual(JSON.parse(await readFile(join(latest, 'capacity.json'), 'utf8')), report)
    assert.match(await readFile(join(latest, 'capacity.svg'), 'utf8'), /^<svg /)
    // The target's own count is the referee: so many as the steps say at least, rests and settling besides.
    const measured = report.steps.reduce((sum, step) => sum + step.startedPerSecond * step.seconds, 0)
    assert.ok(server.seen.length >= measured, `${server.seen.length} requests, ${measured} in steps`)
  })

  it('says 99 when not even the lowest load holds', async () => {
    const server = await startServer()
    const run = await runCli([...search, '1s', '--rate', '1', '--quiet'], {
      files: visits(server.url, `throw new Error('never')`),
      json: false,
      timeoutMs: 100_000,
    })
    assert.equal(run.exitCode, 99, run.stderr)
    assert.equal(run.stdout, 'Not even 1/s holds med<5s, errors<1%.\n')
  })

  it('says what is wrong before anything starts', async () => {
    const server = await startServer()
    const bad = await runCli(['example.TestVisit', '--find-capacity', 'p(95)', '--capacity-step', '1s'], {
      files: visits(server.url),
      json: false,
    })
    assert.equal(bad.exitCode, 2)
    assert.match(bad.stderr, /^error: --find-capacity: "p\(95\)", character 6: a comparison is missing/m)
    assert.equal(server.seen.length, 0)
  })
})
