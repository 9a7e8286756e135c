import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { arriving, closed, counter, ledgerOf, runSession, seriesOf } from '../helpers/run-session.ts'

const runner = (files: Record<string, string>, testRunner: string) => ({
  files,
  includeFiles: Object.keys(files),
  spec: { testRunner, tests: [{ label: 'shop', className: '', method: '', weight: 1 }] },
})

/** Whether there is such a process, and it is not over. */
function runs(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

describe('external runner', () => {
  it('takes executions, hits, counters and timings from its pipe, and its share from the environment', async () => {
    const script = `
echo '{"loads":"start","test":"login"}' >&3
echo '{"loads":"hit","name":"/login","method":"POST","status":200,"ms":12}' >&3
echo '{"loads":"hit","name":"/login","method":"POST","status":"timeout","ms":30}' >&3
echo '{"loads":"success","ms":50}' >&3
echo '{"loads":"start"}' >&3
echo '{"loads":"failure","message":"no cart"}' >&3
echo "{\\"loads\\":\\"counter\\",\\"name\\":\\"user $LOADS_USER of $LOADS_USERS does $LOADS_ITERATIONS\\"}"
echo "just talking"`
    const run = await runSession({
      ...runner({ 'user.sh': script }, 'sh user.sh {test}'),
      stages: [closed(2, 2)],
    })
    assert.deepEqual(ledgerOf(run), { planned: 4, started: 4, finished: 4, interrupted: 0, dropped: 0 })
    const tests = run.aggregate.tests()
    assert.deepEqual([tests.successes, tests.failures, tests.errors], [2, 2, 0])
    const hits = run.aggregate.hits()
    assert.deepEqual([hits.count, hits.failed], [4, 2])
    assert.equal(counter(run, 'user 0 of 2 does 2'), 1)
    assert.equal(counter(run, 'user 1 of 2 does 2'), 1)
    assert.deepEqual([...new Set(run.logs)], ['just talking'])
  })

  it('takes notes, which say nothing of its tests', async () => {
    const script = `
echo '{"loads":"note","text":"cache emptied","tags":{"node":"db-2"}}' >&3
echo '{"loads":"note","text":5}' >&3`
    const run = await runSession(runner({ 'user.sh': script }, 'sh user.sh'))
    assert.deepEqual(run.notes, [{ text: 'cache emptied', tags: { node: 'db-2' } }])
    assert.deepEqual(run.logs, ["the runner wrote an event that cannot be read: field 'text' must be text"])
    assert.equal(run.aggregate.tests().successes, 1, 'its exit code is the verdict')
  })

  it('takes what is sent to STATSD_HOST and STATSD_PORT', async () => {
    const script = `
import os, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(100):
    s.sendto(b'carts:2|c\\nlogin:12.5|ms', (os.environ['STATSD_HOST'], int(os.environ['STATSD_PORT'])))
s.sendto(b'stock:7|g\\nnonsense', (os.environ['STATSD_HOST'], int(os.environ['STATSD_PORT'])))`
    const run = await runSession(runner({ 'user.py': script }, 'python3 user.py'))
    assert.equal(counter(run, 'carts'), 200)
    const timing = [...run.aggregate.series.values()].find((each) => each.key.kind === 'timing')!
    assert.equal(timing.count, 100)
    assert.deepEqual(run.logs, ['1 lines sent to STATSD_HOST were not counters, gauges or timings'])
    assert.equal(
      run.aggregate.tests().successes,
      1,
      'a process that reports no test is one, and its exit code the verdict',
    )
  })

  it('counts a process that fails as an error and shows what it said last', async () => {
    const run = await runSession(runner({ 'user.sh': 'echo boom >&2; exit 3' }, 'sh user.sh'))
    assert.equal(run.aggregate.tests().errors, 1)
    const group = [...run.aggregate.series.values()].find((each) => each.key.kind === 'error')!
    assert.match(group.detail!.sample, /exit code 3[^]*boom/)
  })

  it('says when runners made fewer executions than they were asked for', async () => {
    const script = `echo '{"loads":"start"}' >&3; echo '{"loads":"success"}' >&3`
    const run = await runSession({
      ...runner({ 'user.sh': script }, 'sh user.sh'),
      stages: [closed(2, 3)],
    })
    assert.equal(run.aggregate.tests().successes, 2)
    assert.deepEqual(run.logs, ['2 runners ended before they had made the executions of LOADS_ITERATIONS'])
  })

  it('ends a runner that does not end, with all that it started', async () => {
    const script = `sleep 300 & echo "{\\"loads\\":\\"start\\"}" >&3; echo $! ; trap '' TERM; while :; do sleep 1; done`
    let pid = 0
    const run = await runSession({
      ...runner({ 'user.sh': script }, 'sh user.sh'),
      during: async (session, seen) => {
        while (seen.logs.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
        pid = Number(seen.logs[0])
        session.stop('cancel')
      },
    })
    assert.deepEqual(ledgerOf(run), { planned: 1, started: 1, finished: 0, interrupted: 1, dropped: 0 })
    // It was killed: that it is gone may take the system a moment.
    while (runs(pid)) await new Promise((resolve) => setTimeout(resolve, 20))
  })

  it('is one process per start in open models, and its response time counts from when that was due', async () => {
    const script = `
echo '{"loads":"start"}' >&3
echo '{"loads":"hit","name":"/","method":"GET","status":200,"ms":1}' >&3
echo '{"loads":"success"}' >&3
echo "{\\"loads\\":\\"counter\\",\\"name\\":\\"$LOADS_EXECUTION does $LOADS_ITERATIONS\\"}"`
    const run = await runSession({
      ...runner({ 'user.sh': script }, 'sh user.sh'),
      stages: [arriving(10, 500, 5)],
    })
    assert.deepEqual(ledgerOf(run), { planned: 5, started: 5, finished: 5, interrupted: 0, dropped: 0 })
    for (let number = 0; number < 5; number++) assert.equal(counter(run, `all/${number} does 1`), 1)
    for (const kind of ['response', 'hit-response', 'lateness'])
      assert.equal(seriesOf(run, kind)[0]!.count, 5, kind)
  })

  it('is told to end when it comes above the line', async () => {
    const script = `
trap 'echo "{\\"loads\\":\\"success\\"}" >&3; exit 0' TERM
echo '{"loads":"start"}' >&3
while :; do sleep 0.05; done`
    const run = await runSession({
      ...runner({ 'user.sh': script }, 'sh user.sh'),
      stages: [
        {
          type: 'externally-controlled',
          controls: 'users',
          start: 2,
          durationMs: null,
          users: 2,
          spacing: 'uniform',
          maxLateMs: 0,
        },
      ],
      during: async (session, seen) => {
        const until = async (holds: (ledger: ReturnType<typeof ledgerOf>) => boolean) => {
          while (seen.windows.length === 0 || !holds(ledgerOf(seen)))
            await new Promise((resolve) => setTimeout(resolve, 20))
        }
        await until(({ started }) => started === 2)
        session.control(0, [{ atMs: seen.windows.at(-1)!.toMs, target: 0, paused: false }])
        await until(({ finished }) => finished === 2)
        // The stage goes on without them.
        assert.deepEqual(seen.stages, [])
        session.stop('drain')
      },
    })
    assert.equal(run.aggregate.tests().successes, 2)
  })
})
