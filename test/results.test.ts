import assert from 'node:assert/strict'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Aggregate, DeltaDecoder } from '@loads-runner/metrics'
import type { Summary } from '@loads-runner/metrics'
import { readEventLog } from '@loads-runner/protocol'
import type { RunEvent } from '@loads-runner/protocol'
import { runCli } from './helpers/run-cli.ts'
import { exampleFor, startTarget } from './helpers/target.ts'
import { temporaryDirectory } from './helpers/temporary.ts'

const page = (url: string) => `
  import { TestCase } from 'loads-runner'
  export class TestPage extends TestCase {
    async test_page() {
      await this.session.get('${url}/', { tags: { kind: 'front' } })
      this.incrCounter('pages')
      this.setGauge('depth', 3)
      this.recordTiming('parsing', 2)
      this.check('there', true)
      await this.step('thinking', async () => {})
      if (this.iteration === 1) this.fail('not the second time')
    }
  }`

/** Fields of one type, by their names. */
const all = (type: string, names: string) => Object.fromEntries(names.split(' ').map((name) => [name, type]))

/** Keys of the contract, at every level. A leaf is what may stand there; `?` is "or null". */
const stats = {
  ...all('whole', 'count'),
  ...all('number', 'sum'),
  ...all('number?', 'min mean p50 p90 p95 p99 p999 p9999 max trustedTo'),
}
const outcomes = all('whole', 'started successes failures errors interrupted')
const schema = {
  ...all('text', 'schema runId verdict'),
  ...all('whole', 'seed exitCode'),
  reasons: ['text'],
  started: 'text?',
  durationSeconds: 'number',
  tests: { ...outcomes, ...all('whole', 'finished lost') },
  hits: { ...all('whole', 'count failed interrupted bytesIn bytesOut'), perSecond: 'number' },
  serviceTime: stats,
  responseTime: 'null',
  executions: [{ ...outcomes, test: 'text', duration: stats, responseTime: 'null' }],
  series: [
    {
      ...all('text', 'kind test name method status'),
      ...all('whole', 'count failed'),
      tags: { kind: 'text' },
      partial: 'flag',
      serviceTime: stats,
      responseTime: 'null',
    },
  ],
  scenarios: [],
  checks: [{ ...all('text', 'name test'), ...all('whole', 'ok failed'), tags: {} }],
  steps: [{ ...all('text', 'name test'), duration: stats, tags: {} }],
  phases: [],
  connections: all('whole', 'opened closed tlsHandshakes tlsResumed'),
  websockets: all('whole', 'opened closed messagesSent messagesReceived bytesSent bytesReceived'),
  counters: { pages: 'whole' },
  gauges: { depth: 'number' },
  timings: { parsing: stats },
  errorGroups: [{ ...all('text', 'type message firstSeen lastSeen sample'), count: 'whole' }],
  agents: [
    {
      ...all('text', 'id host state'),
      ...all('whole', 'hits windows windowsLost'),
      ledger: all('whole', 'planned started finished reported lost dropped'),
    },
  ],
  coverage: { ...all('whole', 'windowsOwed windowsReceived'), ratio: 'number', missing: [] },
  schedule: {
    ...all('whole', 'started dropped'),
    planned: 'whole?',
    latenessP99: 'number?',
    lateness: 'null',
  },
  feeds: [],
  warmUp: 'null',
  generator: {
    limited: 'flag',
    ...all('number?', 'eventLoopLagP99 cpu gcShare'),
    warnings: ['text'],
    tainted: [{ agent: 'text', ...all('number', 'fromSecond toSecond'), reasons: ['text'] }],
  },
  thresholds: [],
}

/** Says where a value is not what the schema wants: nothing missing, nothing more, nothing of another type. */
function differences(value: unknown, wanted: unknown, path: string): string[] {
  if (typeof wanted === 'string')
    return fits(value, wanted) ? [] : [`${path}: ${JSON.stringify(value)} is no ${wanted}`]
  if (Array.isArray(wanted)) {
    if (!Array.isArray(value)) return [`${path} is no list`]
    return value.flatMap((each, index) => differences(each, wanted[0], `${path}[${index}]`))
  }
  if (typeof value !== 'object' || value === null) return [`${path} is no object`]
  const [has, should] = [Object.keys(value).toSorted(), Object.keys(wanted as object).toSorted()]
  if (has.join() !== should.join()) return [`${path} has ${has.join()}, not ${should.join()}`]
  return has.flatMap((key) =>
    differences(
      (value as Record<string, unknown>)[key],
      (wanted as Record<string, unknown>)[key],
      `${path}.${key}`,
    ),
  )
}

function fits(value: unknown, wanted: string): boolean {
  if (value === null) return wanted === 'null' || wanted.endsWith('?')
  switch (wanted.replace('?', '')) {
    case 'text':
      return typeof value === 'string'
    case 'flag':
      return typeof value === 'boolean'
    case 'number':
      return typeof value === 'number'
    case 'whole':
      return Number.isInteger(value)
    default:
      return false
  }
}

/** Every file below a directory, by path. */
async function filesBelow(directory: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return new Map(await Promise.all(files.map(async (file) => [file, await readFile(file)] as const)))
}

describe('results', function () {
  this.timeout(60_000)

  it('are complete by the contract, also of a run that made no load', async () => {
    const target = await startTarget()
    const files = {
      'page.ts': page(target.httpUrl),
      'unready.ts': `
        import { TestCase } from 'loads-runner'
        export class TestUnready extends TestCase {
          static async setUpRun() { throw new Error('no') }
          async test_page() {}
        }`,
    }
    const [full, empty] = await Promise.all([
      runCli(['page', '--users', '2', '--iterations', '2'], { files }),
      runCli(['unready'], { files }),
    ])
    assert.equal(full.exitCode, 1, full.stdout + full.stderr)
    assert.deepEqual(differences(full.summary, schema, 'summary'), [])
    assert.ok(!Number.isNaN(Date.parse(full.summary!.started!)))
    assert.equal(full.summary!.series[0]!.tags['kind'], 'front')
    assert.equal(full.summary!.timings['parsing']!.mean, 2)
    assert.equal(empty.exitCode, 4, empty.stdout + empty.stderr)
    const bare = { ...schema, counters: {}, gauges: {}, timings: {} }
    assert.deepEqual(differences(empty.summary, bare, 'summary'), [])
    const { started, serviceTime, generator, schedule } = empty.summary!
    assert.deepEqual(
      [started, serviceTime.count, serviceTime.p50, serviceTime.trustedTo, generator.cpu, schedule.planned],
      [null, 0, null, 0, null, 1],
    )
  })

  it('stand in a directory per run, and latest is the newest', async () => {
    const target = await startTarget()
    const cwd = await temporaryDirectory({ 'page.ts': page(target.httpUrl) })
    const runs = [await runCli(['page'], { cwd }), await runCli(['page', '--seed', '7'], { cwd })]
    for (const run of runs) assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    const names = (await readdir(join(cwd, 'results'))).toSorted()
    assert.equal(names.length, 3)
    assert.match(names[0]!, /^\d{4}-\d\d-\d\d--1$/)
    // The first of its day when midnight lies between them.
    assert.match(
      names[1]!,
      names[1]!.startsWith(names[0]!.slice(0, 10)) ? /^[\d-]{10}--2$/ : /^[\d-]{10}--1$/,
    )
    assert.equal(names[2], 'latest')
    assert.equal(await readlink(join(cwd, 'results/latest')), names[1])
    for (const [index, run] of runs.entries()) {
      const directory = join(cwd, 'results', names[index]!)
      assert.match(run.stdout, new RegExp(`^Results: ${directory}$`, 'm'))
      assert.deepEqual((await readdir(directory)).toSorted(), [
        'events',
        'junit.xml',
        'report.html',
        'run.json',
        'summary.json',
      ])
      const kept = JSON.parse(await readFile(join(directory, 'summary.json'), 'utf8')) as Summary
      assert.deepEqual(kept, run.summary)
      const plan = JSON.parse(await readFile(join(directory, 'run.json'), 'utf8')) as Record<string, unknown>
      assert.deepEqual([plan['runId'], plan['seed']], [kept.runId, kept.seed])
      assert.equal((plan['versions'] as Record<string, string>)['node'], process.version)
      assert.equal((plan['hosts'] as unknown[]).length, 1)
    }
    assert.equal(runs[1]!.summary!.seed, 7)
  })

  it('can be rebuilt from the events', async () => {
    const target = await startTarget()
    const run = await runCli(['page', '--users', '3', '--iterations', '50'], {
      files: { 'page.ts': page(target.httpUrl) },
    })
    const aggregate = new Aggregate()
    const decoder = new DeltaDecoder()
    const states: string[] = []
    let last: Extract<RunEvent, { type: 'finished' }> | null = null
    for await (const record of readEventLog(join(run.directory, 'results/latest/events'))) {
      const event = record as RunEvent
      if (event.type === 'snapshot' || event.type === 'commit') aggregate.apply(decoder.decode(event.delta))
      if (event.type === 'state' && event.state !== states.at(-1)) states.push(event.state)
      if (event.type === 'finished') last = event
    }
    assert.deepEqual(states.slice(-3), ['ready', 'running', 'done'])
    const summary = run.summary!
    assert.deepEqual(JSON.parse(last!.summary), summary)
    assert.equal(target.count().http, 150)
    assert.deepEqual(aggregate.hits(), {
      count: 150,
      failed: 0,
      interrupted: 0,
      bytesIn: summary.hits.bytesIn,
      bytesOut: summary.hits.bytesOut,
    })
    assert.deepEqual(aggregate.serviceTime().stats(), summary.serviceTime)
    assert.equal(aggregate.tests().failures, 3)
  })

  it('hold no secret, wherever the tests have told it', async () => {
    const target = await startTarget()
    const secret = 'tell-"nobody"/of 1t'
    const run = await runCli(
      ['told', '--agents', '2', '--users', '2', '--secret', 'TOKEN=env:OUR_TOKEN', '--debug'].concat([
        '--param',
        'shop=corner',
        '--env',
        'COLOR=blue',
        '--label',
        'team=web',
      ]),
      {
        env: { OUR_TOKEN: secret },
        files: {
          'told.ts': `
            import { TestCase } from 'loads-runner'
            if (process.env.TOKEN === undefined) throw new Error('modules see their variables, too')
            export class TestTold extends TestCase {
              static async setUpRun() { console.log('set up with', process.env.TOKEN); return 1 }
              static async tearDownRun() { throw new Error('no such token: ' + process.env.TOKEN) }
              async test_told() {
                const token = process.env.TOKEN!
                console.log('token is', token, process.env.COLOR)
                this.incrCounter(token)
                await this.session.get('${target.httpUrl}/users/' + encodeURIComponent(token))
                await this.session.get('${target.httpUrl}/users/:id', { params: { id: token }, query: { token } })
                throw new Error(JSON.stringify({ token }))
              }
            }`,
        },
      },
    )
    assert.equal(run.exitCode, 4, run.stdout + run.stderr)
    assert.equal(target.count().http, 4)
    assert.deepEqual(run.summary!.counters, { '[redacted]': 2 })
    const files = await filesBelow(join(run.directory, 'results'))
    assert.equal(
      [...files.keys()].filter((file) => /broker\.log$|agents\/agent-[12]\/log$/.test(file)).length,
      3,
    )
    // Figures travel as bytes; in the file they are base64.
    const opened = [...files].flatMap(([file, bytes]) => [
      [file, String(bytes)],
      ...(String(bytes).match(/[\w+/]{20,}={0,2}/g) ?? []).map((text) => [
        `bytes in ${file}`,
        Buffer.from(text, 'base64').toString('latin1'),
      ]),
    ])
    for (const [where, text] of [
      ...opened,
      ['standard output', run.stdout],
      ['standard error', run.stderr],
    ]) {
      assert.doesNotMatch(text!, /tell-.{1,12}nobody/, where)
    }
    assert.match(run.stdout, /^set up with \[redacted\]$/m)
    assert.match(run.stdout, /token is \[redacted\] blue$/m)
    const plan = String(files.get([...files.keys()].find((file) => file.endsWith('run.json'))!))
    assert.match(plan, /"TOKEN": "\[redacted\]"/)
    assert.match(plan, /"shop": "corner"/)
  })

  it('go where they are asked to: files, standard output, nowhere', async () => {
    const target = await startTarget()
    const cwd = await temporaryDirectory({
      'example.ts': await exampleFor(target),
      'noisy.ts': `console.log('noise')\nexport * from './example.ts'`,
    })
    const test = 'noisy.TestWebSite.test_es'
    const [plain, json, quiet, both] = await Promise.all([
      runCli([test, '--json', 'summary.json', '--output', 'json:again.json'], { cwd }),
      runCli([test, '--json', '-'], { cwd }),
      runCli([test, '--quiet'], { cwd }),
      runCli([test, '--quiet', '--json', '-'], { cwd }),
    ])
    for (const run of [plain, json, quiet, both]) assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    const read = async (file: string) => JSON.parse(await readFile(join(cwd, file), 'utf8')) as Summary
    assert.equal((await read('summary.json')).hits.count, 1)
    assert.deepEqual(await read('again.json'), await read('summary.json'))
    assert.match(plain.stdout, /^Hits: 1$/m)
    for (const run of [json, both]) {
      assert.equal((JSON.parse(run.stdout) as Summary).hits.count, 1, 'JSON alone on standard output')
    }
    assert.match(json.stderr, /^noise$[^]*^Hits: 1$/m)
    assert.equal(both.stderr, 'noise\n')
    assert.deepEqual([quiet.stdout, quiet.stderr], ['', 'noise\n'])
    assert.equal(quiet.summary!.hits.count, 1)
    assert.equal(target.count().http, 4)
  })

  it('are plain lines where nobody looks at a terminal', async () => {
    const target = await startTarget()
    // A line each two seconds, and figures after the first one: some line has them, whenever load begins.
    const run = await runCli(['page', '--duration', '7s', '--delay', '50ms'], {
      files: { 'page.ts': page(target.httpUrl).replace(/if .*/, '') },
    })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.match(
      run.stdout,
      /^ +\d+% {2}0:0\d\/0:07 {2}\d+ hits {2}[\d.]+\/s {2}0 errors {2}p50 .* {2}1 user {2}1 agent$/m,
    )
    assert.match(run.stdout, /^\[={47}\] {2}100%$/m)
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(run.stdout, /[\u001b\r]/, 'nothing that moves a cursor or paints')
  })
})
