import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { chmod, readdir, readFile, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createKeys, dialer, formatJoin, parseJoin } from '@loads-runner/protocol'
import type { Identity } from '@loads-runner/protocol'
import { descendantsOf } from './helpers/processes.ts'
import { runCli, startCli } from './helpers/run-cli.ts'
import type { CliOptions } from './helpers/run-cli.ts'
import { sideBySide } from './helpers/side-by-side.ts'
import { StandingCluster } from './helpers/standing-cluster.ts'
import { holdAnswers, startSteps, stepsOf } from './helpers/steps.ts'
import { temporaryDirectory } from './helpers/temporary.ts'

const asAgent: CliOptions = { binary: 'loads-agent', timeoutMs: 40_000 }
const asBroker: CliOptions = { binary: 'loads-broker', timeoutMs: 40_000 }

/** Every secret that a broker's state directory holds, as it is written there. */
async function secretsIn(stateDir: string): Promise<string[]> {
  const keys = JSON.parse(await readFile(join(stateDir, 'broker.keys'), 'utf8')) as unknown
  const found: string[] = []
  JSON.stringify(keys, (name, value: unknown) => {
    if (name === 'secretKey') found.push(value as string)
    return value
  })
  for (const role of ['agent', 'operator']) {
    found.push((await readFile(join(stateDir, `${role}.join`), 'utf8')).trim().split('#')[1]!)
  }
  assert.equal(found.length, 7)
  return found
}

/** What anybody on this machine can see of a process and its descendants. */
async function visibleOf(pid: number): Promise<string> {
  const pids = [pid, ...descendantsOf(pid).map((view) => view.pid)]
  const read = (each: number, file: string) => readFile(`/proc/${each}/${file}`, 'utf8').catch(() => '')
  const texts = await Promise.all(pids.flatMap((each) => [read(each, 'cmdline'), read(each, 'environ')]))
  return texts.join('\n')
}

async function contentsOf(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n')
}

const identity = (id: string): Identity => {
  return { id, incarnation: randomUUID(), host: 'h', pid: 1, version: '0', slots: 1, labels: {} }
}

describe('access to a cluster', function () {
  this.timeout(120_000)

  sideBySide({
    'needs the right join file: each mistake is said, with what to do': async () => {
      const cluster = await StandingCluster.start({ agents: [] })
      const files = await readdir(cluster.stateDir)
      assert.deepEqual(files.toSorted(), ['agent.join', 'broker.keys', 'operator.join'])
      for (const file of files) assert.equal((await stat(join(cluster.stateDir, file))).mode & 0o777, 0o600)
      assert.equal((await stat(cluster.stateDir)).mode & 0o777, 0o700)

      const keys = createKeys()
      const strange = await temporaryDirectory({
        'agent.join': formatJoin(keys, 'agent', cluster.address),
        'operator.join': formatJoin(keys, 'operator', cluster.address),
        'notes.txt': 'remember the milk',
      })
      const ping = (reference: string) => runCli(['--ping-broker', '--broker', reference], { cwd: strange })
      const agent = (reference: string) => runCli(['--broker', reference], { cwd: strange, ...asAgent })
      const [strangeConsole, strangeAgent, agentsFile, operatorsFile, missing, notes, word] =
        await Promise.all([
          ping('@operator.join'),
          agent('@agent.join'),
          ping(`@${cluster.join('agent')}`),
          agent(`@${cluster.join('operator')}`),
          ping('@nowhere.join'),
          ping('@notes.txt'),
          ping('nonsense'),
        ])
      const wrongKey = new RegExp(
        `^error: What listens at ${cluster.address} is not the broker of this join string\\. .*new keys, get a new join file`,
      )
      for (const each of [strangeConsole, strangeAgent]) {
        assert.equal(each.exitCode, 4)
        assert.match(each.stderr, wrongKey)
      }
      assert.deepEqual(
        [agentsFile.exitCode, agentsFile.stderr],
        [4, "error: This join string is for an agent. Use the broker's operator.join file.\n"],
      )
      assert.deepEqual(
        [operatorsFile.exitCode, operatorsFile.stderr],
        [4, "error: This join string is for an operator. Use the broker's agent.join file.\n"],
      )
      assert.equal(missing.exitCode, 2)
      assert.match(
        missing.stderr,
        /^error: No join file at .*nowhere\.join nor .*\. Start the broker first, or copy its join file here\.$/m,
      )
      assert.equal(notes.exitCode, 2)
      assert.match(
        notes.stderr,
        /^error: .*notes\.txt: This is not a usable join string\. It must look like loads:/,
      )
      assert.equal(word.exitCode, 2)
      assert.match(word.stderr, /^error: This is not a usable join string\. It must look like loads:/)
      if (process.getuid?.() !== 0) {
        await chmod(join(strange, 'operator.join'), 0)
        const unreadable = await ping('@operator.join')
        assert.equal(unreadable.exitCode, 2)
        assert.match(unreadable.stderr, /^error: The join file cannot be read: EACCES/)
      }
    },

    'is not to be had with the key of an agent, over a connection of its own making either': async () => {
      const cluster = await StandingCluster.start({ agents: [] })
      const [agents, operators] = await Promise.all(
        (['agent', 'operator'] as const).map(async (role) =>
          parseJoin(await readFile(cluster.join(role), 'utf8')),
        ),
      )
      // It says that it is an operator, with all that an agent has.
      await assert.rejects(dialer({ ...agents!, role: 'operator' }).dialAsOperator(identity('x')), {
        code: 'CHANNEL_WRONG_ROLE',
      })
      // Through the door of the operators it still cannot sign as one.
      const mixed = { ...operators!, signingKey: agents!.signingKey }
      await assert.rejects(dialer(mixed).dialAsOperator(identity('x')), { code: 'CHANNEL_WRONG_ROLE' })
      // As an agent it is heard, until it speaks as an operator.
      for (const verb of ['purge', 'list-runs', 'ping']) {
        const connection = await dialer(agents!).dialAsAgent(identity('x'))
        const heard: unknown[] = []
        connection.onMessage((message) => heard.push(message))
        connection.send({ type: verb, requestId: 1 } as never)
        assert.equal((await connection.closed).reason, 'refused')
        assert.deepEqual(heard, [])
      }
      assert.equal((await cluster.ask('ping')).activeRuns, 0)
    },

    'is not disturbed by strangers at the port while a run goes on': async () => {
      const target = await startSteps()
      const cluster = await StandingCluster.start({ agents: ['a1', 'a2'], files: stepsOf(target) })
      const args = ['steps.TestSteps.test_step', '--agents', '2', '--users', '4', '--iterations', '100']
      const run = await cluster.start(args)
      await target.sawRequests(10)
      const strangers = knockUntil(cluster.address, run.result)
      const { exitCode, summary, stdout, stderr } = await run.result
      assert.ok((await strangers) > 200, `only ${await strangers} strangers came`)
      assert.equal(exitCode, 0, stdout + stderr)
      assert.equal(summary!.hits.count, 400)
      assert.equal(target.seen.length, 400)
      assert.equal(summary!.coverage.ratio, 1)
      assert.doesNotMatch(stdout, /is lost|the connection to the broker has ended/)
      for (const agent of cluster.agents.values()) assert.doesNotMatch(agent.stderr, /out of reach/)
      // That the machine was busy may be said.
      const said = cluster.broker.stderr.split('\n').filter((line) => !line.includes('stood still'))
      assert.doesNotMatch(said.join('\n'), /warning|error/)
    },

    'leaves its keys in no process list, log or run file, and not where users could print them': async () => {
      const target = await startSteps()
      const cluster = await StandingCluster.start({
        agents: ['a1'],
        agentArgs: ['--log-level', 'debug'],
        brokerArgs: ['--log-level', 'debug'],
        files: {
          ...stepsOf(target),
          'spy.ts': `
            import { TestCase } from 'loads-runner'
            export class TestSpy extends TestCase {
              async test_spy() { this.assertEqual(process.env.LOADS_BROKER, undefined) }
            }`,
        },
      })
      const keyed = await startCli(['--name', 'keyed'], {
        env: { LOADS_BROKER: await readFile(cluster.join('agent'), 'utf8') },
        ...asAgent,
      })
      await keyed.waitForLine(/is registered/)
      const spy = await cluster.run(['spy.TestSpy.test_spy', '--agents', '2'])
      assert.equal(spy.exitCode, 0, spy.stdout)
      assert.equal(spy.summary!.tests.successes, 2)
      keyed.kill('SIGTERM')
      await keyed.result
      const secrets = await secretsIn(cluster.stateDir)
      const args = ['steps.TestSteps.test_step', '--users', '2', '--iterations', '40', '--debug']
      const run = await cluster.start(args)
      const own = await startCli([...args, '--agents', '2'], { files: stepsOf(target) })
      await target.sawRequests(100)
      const pids = [cluster.broker.pid, cluster.agent('a1').pid, run.pid, own.pid]
      const visible = (await Promise.all(pids.map(visibleOf))).join('\n')
      const ended = await Promise.all([run.result, own.result])
      for (const { exitCode, stderr } of ended) assert.equal(exitCode, 0, stderr)
      const written = [
        ...ended.flatMap(({ stdout, stderr }) => [stdout, stderr]),
        cluster.broker.stderr,
        cluster.agent('a1').stderr,
        await contentsOf(join(cluster.directory, 'results')),
        await contentsOf(join(own.directory, 'results')),
        await contentsOf(join(cluster.stateDir, 'runs')),
      ].join('\n')
      assert.ok(visible.includes('agent.join') || process.platform !== 'linux')
      assert.ok(written.includes('steps.TestSteps.test_step'))
      for (const text of [visible, written]) {
        assert.doesNotMatch(text, /loads:\/\/\S+#/)
        for (const secret of secrets) assert.ok(!text.includes(secret), 'a key is there to be read')
      }
    },

    'cannot be given where the port or the state directory is not to be had': async () => {
      const cluster = await StandingCluster.start({ agents: [] })
      const directory = await temporaryDirectory({ file: '' })
      const before = await readFile(cluster.join('operator'), 'utf8')
      const [taken, sameState, noDirectory] = await Promise.all([
        runCli(['--bind', cluster.address, '--state-dir', join(directory, 'state')], asBroker),
        runCli(['--bind', cluster.address, '--state-dir', cluster.stateDir], asBroker),
        runCli(['--bind', '127.0.0.1:0', '--state-dir', join(directory, 'file', 'state')], asBroker),
      ])
      for (const each of [taken, sameState]) {
        assert.equal(each.exitCode, 4)
        assert.equal(
          each.stderr,
          `error: Cannot listen on ${cluster.address}: Address already in use. Choose another address or port.\n`,
        )
      }
      assert.equal(await readFile(cluster.join('operator'), 'utf8'), before)
      assert.equal(noDirectory.exitCode, 4)
      assert.match(
        noDirectory.stderr,
        /^error: The state directory .* cannot be used: ENOTDIR.*Choose another with --state-dir\.$/m,
      )
    },

    'under a name that another process takes ends with a clear word, and the new one serves': async () => {
      const target = await startSteps()
      const cluster = await StandingCluster.start({ agents: ['a1', 'a2'], files: stepsOf(target) })
      const args = ['steps.TestSteps.test_step', '--agents', '2', '--users', '4', '--iterations', '100']
      const run = await cluster.start(args)
      await target.sawRequests(4 * 20)
      const first = cluster.agent('a2')
      // The run does not end before.
      const answer = holdAnswers(target)
      const second = await cluster.startAgent('a2')
      const { exitCode, stderr } = await first.result
      answer()
      assert.equal(exitCode, 4)
      assert.match(
        stderr,
        new RegExp(
          `error agent a2 has ended: .*another process \\(${second.pid} on .*\\) has taken the name a2; give each agent a --name of its own`,
        ),
      )
      assert.deepEqual(descendantsOf(first.pid), [])
      const { summary } = await run.result
      assert.equal(summary!.exitCode, 5)
      assert.equal(summary!.tests.finished, 400)
      assert.equal(summary!.agents.find(({ id }) => id === 'a2')!.state, 'fenced')
      const next = await cluster.run(args)
      assert.equal(next.exitCode, 0, next.stderr)
      assert.equal(next.summary!.coverage.ratio, 1)
    },

    'keeps names from the file system': async () => {
      const target = await startSteps()
      const name = '../../a\u001b[2J'
      const cluster = await StandingCluster.start({ agents: [name], files: stepsOf(target) })
      const run = await cluster.run(['steps.TestSteps.test_step', '--agents', '1'])
      assert.equal(run.exitCode, 0, run.stderr)
      assert.equal(run.summary!.agents[0]!.id, name)
      const shown = await cluster.run(['--ping-broker'])
      for (const text of [run.stdout, shown.stdout]) assert.ok(!text.includes('\u001b'))
      assert.deepEqual((await readdir(cluster.stateDir)).toSorted(), [
        'agent.join',
        'broker.keys',
        'bundles',
        'operator.join',
        'runs',
      ])
      assert.deepEqual(
        (await readdir(cluster.directory)).filter((each) => each.startsWith('a')),
        [],
      )
    },
  })
})

/** Strangers of every kind, twenty at a time, until `end` settles. Returns how many came. */
async function knockUntil(address: string, end: Promise<unknown>): Promise<number> {
  let over = false
  void end.finally(() => (over = true)).catch(() => {})
  const greeting = Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1])
  const curve = Buffer.concat([greeting, Buffer.from('CURVE'.padEnd(20, '\0')), Buffer.alloc(32)])
  const plain = Buffer.concat([greeting, Buffer.from('NULL'.padEnd(20, '\0')), Buffer.alloc(32)])
  const words: (() => Buffer)[] = [
    () => randomBytes(1 + (count % 3_000)),
    () => greeting.subarray(0, 10),
    () => curve,
    () => Buffer.concat([curve, randomBytes(1_000)]),
    () => Buffer.concat([plain, Buffer.from('\x04\x05READY')]),
    () => Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    () => Buffer.alloc(0),
  ]
  let count = 0
  const [host, port] = address.split(':')
  const knock = () =>
    new Promise<void>((resolve) => {
      const socket = connect(Number(port), host)
      socket.on('connect', () => {
        socket.write(words[count++ % words.length]!())
        setTimeout(() => socket.destroy(), count % 100)
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve())
      socket.resume()
    })
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      while (!over) await knock()
    }),
  )
  return count
}
