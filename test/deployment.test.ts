import assert from 'node:assert/strict'
import { access, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, parseAllDocuments } from 'yaml'
import { runCli } from './helpers/run-cli.ts'
import type { BinaryName } from './helpers/run-cli.ts'
import { StandingCluster } from './helpers/standing-cluster.ts'
import { startTarget } from './helpers/target.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const docker = join(root, 'docker')

interface Service {
  image: string
  command?: string[]
  entrypoint?: string[]
  volumes?: string[]
  depends_on?: Record<string, { condition: string }>
  environment?: Record<string, string>
  build?: { context: string; dockerfile: string }
  healthcheck?: { test: string[] }
}

/**
 * Options that a program does not know are all named before it does anything: with a word too many it says that word
 * and nothing else, where every option is one of its own.
 */
async function assertUnderstands(command: readonly string[]): Promise<void> {
  const [binary, ...args] = command
  const isRunner = binary === 'loads-runner'
  const given = isRunner ? [...args, '--no-such-option'] : [...args, 'one-word-too-many']
  const run = await runCli(given, { binary: binary as BinaryName, json: false, env: { LOADS_BROKER: 'x' } })
  assert.equal(run.exitCode, 2, command.join(' '))
  const problems = run.stderr
    .split('\n')
    .filter((line) => line.startsWith('error: ') && !line.includes('name at least one test'))
  const expected = isRunner
    ? /^error: unknown option --no-such-option/
    : /^error: unexpected: one-word-too-many$/
  assert.equal(problems.length, 1, run.stderr)
  assert.match(problems[0]!, expected)
}

/** The commands of ours in a shell line. */
function commandsIn(line: string): string[][] {
  return line
    .split('&&')
    .map((part) =>
      part
        .trim()
        .replace(/^exec /, '')
        .split(/\s+/),
    )
    .filter(([name]) => name!.startsWith('loads'))
}

describe('docker', () => {
  let services: Record<string, Service>
  before(async () => {
    const compose = parse(await readFile(join(docker, 'compose.yaml'), 'utf8'), { merge: true }) as {
      services: Record<string, Service>
      volumes: Record<string, null>
    }
    services = compose.services
    const named = Object.values(services).flatMap(({ volumes = [] }) =>
      volumes.map((each) => each.split(':')[0]!),
    )
    for (const volume of named) {
      if (volume.startsWith('.')) await access(join(docker, volume))
      else assert.ok(volume in compose.volumes, volume)
    }
  })

  it('brings up a broker, agents, a target, InfluxDB, Prometheus, statsd and Grafana', () => {
    const names = Object.keys(services).toSorted()
    assert.deepEqual(names, [
      'agent',
      'broker',
      'grafana',
      'influxdb',
      'prometheus',
      'runner',
      'statsd',
      'target',
    ])
    for (const { depends_on: needed = {} } of Object.values(services))
      for (const name of Object.keys(needed)) assert.ok(name in services, name)
    // One image: the command is the role.
    for (const name of ['broker', 'agent', 'runner', 'target']) assert.equal(services[name]!.image, 'loads')
  })

  it('calls our programs with options that they have', async () => {
    const { broker, agent, runner } = services
    const lines = commandsIn(broker!.command!.at(-1)!)
    assert.deepEqual(
      lines.map(([name]) => name),
      ['loads-broker', 'loads-broker'],
    )
    const health = broker!.healthcheck!.test.slice(1)
    for (const command of [...lines, agent!.command!, runner!.entrypoint!, health])
      await assertUnderstands(command)
  })

  it('keeps the keys of the broker from agents and consoles', () => {
    for (const name of ['agent', 'runner']) {
      const mounted = services[name]!.volumes!.map((each) => each.split(':')[0])
      assert.ok(!mounted.includes('state'), name)
    }
    assert.deepEqual(services.agent!.volumes, ['agent-join:/join/agent:ro'])
  })

  it('sends figures to the services that it starts', () => {
    const line = services.broker!.command!.at(-1)!
    const hosts = Array.from(line.matchAll(/--output \w+:(?:http:\/\/)?([\w.-]+):\d+/g), ([, host]) => host!)
    assert.deepEqual(hosts, ['influxdb', 'prometheus', 'statsd'])
    for (const host of hosts) assert.ok(host in services, host)
  })

  it('tells Grafana all that its provisioning asks for', async () => {
    const provisioning = join(root, 'grafana', 'provisioning')
    const wanted = new Set<string>()
    for (const folder of ['datasources', 'dashboards'])
      for (const file of await readdir(join(provisioning, folder))) {
        const text = await readFile(join(provisioning, folder, file), 'utf8')
        assert.equal((parse(text) as { apiVersion: number }).apiVersion, 1, file)
        for (const [, name] of text.matchAll(/\$\{(\w+)\}/g)) wanted.add(name!)
      }
    assert.ok(wanted.size > 3)
    const { environment, volumes } = services.grafana!
    assert.deepEqual(
      [...wanted].filter((name) => !(name in environment!)),
      [],
    )
    const mounts = new Map(volumes!.map((each) => each.split(':').slice(0, 2).reverse() as [string, string]))
    assert.equal(mounts.get(environment!.LOADS_DASHBOARDS!), '../grafana/dashboards')
    assert.equal(mounts.get('/etc/grafana/provisioning'), '../grafana/provisioning')
  })

  it('builds from files that are there', async () => {
    const { context, dockerfile } = services.broker!.build!
    const folder = join(docker, context)
    const text = await readFile(join(folder, dockerfile), 'utf8')
    const copied = Array.from(text.matchAll(/--from=build \/build\/(\S+)/g), ([, path]) => path!)
    assert.deepEqual(copied, ['node_modules', 'packages', 'examples'])
    const binaries = (await readdir(join(root, 'packages/loads-runner/bin'))).map((name) =>
      name.replace('.js', ''),
    )
    assert.deepEqual(/for name in ([^;]+);/.exec(text)![1]!.split(' ').toSorted(), binaries.toSorted())
  })
})

describe('Kubernetes', () => {
  interface Manifest {
    kind: string
    metadata: { name?: string; generateName?: string }
    spec: { template?: { spec: { containers: Container[]; initContainers?: Container[] } } }
  }
  interface Container {
    args?: string[]
    env?: { name: string; valueFrom: { secretKeyRef: { key: string } } }[]
  }
  const read = async (file: string) =>
    parseAllDocuments(await readFile(join(docker, 'kubernetes', file), 'utf8')).map((document) => {
      assert.deepEqual(document.errors, [])
      return document.toJS() as Manifest
    })

  it('runs a broker, and agents as a job, with options that they have', async () => {
    const manifests = [...(await read('broker.yaml')), ...(await read('agents.yaml'))]
    assert.deepEqual(
      manifests.map(({ kind }) => kind),
      ['Service', 'StatefulSet', 'Job'],
    )
    const containers = manifests.flatMap(({ spec }) => spec.template?.spec.containers ?? [])
    assert.equal(containers.length, 2)
    for (const { args } of containers) await assertUnderstands(args!)
    const [agent] = manifests.at(-1)!.spec.template!.spec.containers
    // The key of the secret is the file that --init writes.
    assert.deepEqual(
      agent!.env!.map(({ name, valueFrom }) => [name, valueFrom.secretKeyRef.key]),
      [['LOADS_BROKER', 'agent.join']],
    )
  })

  it('has a chart whose values are all there and all used', async () => {
    const chart = join(docker, 'helm', 'loads')
    const values = parse(await readFile(join(chart, 'values.yaml'), 'utf8')) as Record<string, unknown>
    const templates = await readdir(join(chart, 'templates'))
    const text = (
      await Promise.all(templates.map((name) => readFile(join(chart, 'templates', name), 'utf8')))
    ).join()
    const used = new Set(Array.from(text.matchAll(/\.Values\.([\w.]+)/g), ([, path]) => path!))
    for (const path of used) {
      const value = path
        .split('.')
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], values)
      assert.notEqual(value, undefined, path)
    }
    const paths = Object.entries(values).flatMap(([key, value]) =>
      typeof value === 'object' && value !== null
        ? Object.keys(value).map((each) => `${key}.${each}`)
        : [key],
    )
    assert.deepEqual(
      paths.filter((path) => !used.has(path)),
      [],
    )
  })
})

describe('a broker of a cluster', () => {
  it('makes keys and join files for secrets, the same when asked again', async () => {
    const { directory } = await runCli(['--version'], { json: false })
    const made = await runCli(['--init', '--state-dir', 'keys', '--advertise', 'loads-broker:7776'], {
      binary: 'loads-broker',
      cwd: directory,
      json: false,
    })
    assert.equal(made.exitCode, 0, made.stderr)
    assert.deepEqual((await readdir(join(directory, 'keys'))).toSorted(), [
      'agent.join',
      'broker.keys',
      'operator.join',
    ])
    const join1 = await readFile(join(directory, 'keys', 'agent.join'), 'utf8')
    // Once more: the same keys.
    await runCli(['--init', '--state-dir', 'keys', '--advertise', 'loads-broker:7776'], {
      binary: 'loads-broker',
      cwd: directory,
      json: false,
    })
    assert.equal(await readFile(join(directory, 'keys', 'agent.join'), 'utf8'), join1)
  })

  it('has agents that end with their run, as jobs do', async () => {
    const target = await startTarget()
    const files = {
      'page.ts': `
        import { TestCase } from 'loads-runner'
        export class TestPage extends TestCase {
          async test_page() { await this.session.get('${target.httpUrl}/') }
        }`,
    }
    const cluster = await StandingCluster.start({ agents: ['a1', 'a2'], agentArgs: ['--runs', '1'], files })
    const run = await cluster.run(['page', '--agents', '2', '--users', '4', '--iterations', '5'])
    assert.equal(run.exitCode, 0, run.stderr)
    assert.equal(run.summary!.hits.count, 20)
    for (const agent of cluster.agents.values()) {
      const { exitCode, stderr } = await agent.result
      assert.equal(exitCode, 0, stderr)
      assert.match(stderr, /has ended: its runs are over/)
    }
  })
})
