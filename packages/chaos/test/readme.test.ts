import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { readConfig } from '../src/config/read-config.ts'
import { loadModule, type LoadedModule } from '../src/custom/load-modules.ts'
import { EventHub } from '../src/events/event-hub.ts'
import type { ChaosEvent } from '../src/events/event.ts'
import { describeAttributes, describeFaults, type DescribedAttribute } from '../src/faults/described.ts'
import { knownProtocols } from '../src/protocols/registry.ts'
import type { ProxyOptions } from '../src/proxy/options.ts'
import { startProxy, type Proxy } from '../src/proxy/proxy.ts'
import { ruleAttributes } from '../src/rules/parse-rule.ts'

const packageDirectory = fileURLToPath(new URL('..', import.meta.url))
const file = join(packageDirectory, 'README.md')

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')

function attributeText({ name, help, usual }: DescribedAttribute): string {
  const shown = usual !== null && usual.length <= 60 ? ` (${usual})` : ''
  return cell(`\`${name}\`${shown}: ${help}`)
}

function tables(): Record<string, string> {
  const faults = describeFaults().map(({ type, summary, units, attributes }) => {
    return `| \`${type}\` | ${cell(summary)} | ${units.join(', ')} | ${attributes.map(attributeText).join('<br>')} |`
  })
  const rules = describeAttributes(ruleAttributes).map(
    ({ name, help, usual }) => `| \`${name}\` | ${cell(help)} | ${usual ?? ''} |`,
  )
  const protocols = knownProtocols().map(
    ({ name, summary, error }) => `| \`${name}\` | ${cell(summary)} | \`${error.type}\` |`,
  )
  return {
    faults: [
      '| fault | what it does | units | attributes (usual) |',
      '| --- | --- | --- | --- |',
      ...faults,
    ].join('\n'),
    'rule attributes': ['| attribute | what it says | usual |', '| --- | --- | --- |', ...rules].join('\n'),
    protocols: ['| protocol | what it reads | `error` means |', '| --- | --- | --- |', ...protocols].join(
      '\n',
    ),
  }
}

describe('the README', () => {
  it('has tables as the registry has them', async () => {
    const text = await readFile(file, 'utf8')
    let expected = text
    for (const [name, table] of Object.entries(tables()))
      expected = expected.replace(
        new RegExp(`(<!-- ${name}(?::[^>]*)? -->\n)[^]*?(<!-- /${name} -->)`),
        (_, before: string, after: string) => `${before}\n${table}\n\n${after}`,
      )
    expected = await format(expected, { ...(await resolveConfig(file)), parser: 'markdown' })
    if (process.env['UPDATE_README'] === 'yes') await writeFile(file, expected)
    else assert.equal(text, expected, 'stale: run this test with UPDATE_README=yes')
  })

  it('has files that are right', async () => {
    const [whole, partitions, ...more] = await blocksOf('yaml')
    assert.equal(more.length, 0)
    // Its module is not there.
    const config = readConfig(whole!.replace(/^modules:.*$/m, ''), 'README.yaml', {
      LOADS_PROXY_TOKEN: 'x',
    })
    assert.deepEqual(
      config.proxies.map(({ name }) => name),
      ['mysql', 'web'],
    )
    assert.equal(config.schedule!.length, 1)
    assert.equal(readConfig(partitions!, 'README.yaml', {}).partitions!.ways.length, 2)
  })

  describe('grows a fault that works', function () {
    this.timeout(30_000)
    let directory: string
    let backend: Server
    const connections = new Set<Socket>()
    let module: LoadedModule | null = null

    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'chaos-readme-'))
      await mkdir(join(directory, 'node_modules/@loads-runner'), { recursive: true })
      await symlink(packageDirectory, join(directory, 'node_modules/@loads-runner/chaos'))
      for (const block of await blocksOf('js')) {
        const [, name] = /^\/\/ file: (\S+)\n/.exec(block)!
        await writeFile(join(directory, name!), block)
      }
    })
    after(() => rm(directory, { recursive: true, force: true }))
    beforeEach(async () => {
      backend = createServer((socket) => {
        connections.add(socket)
        socket.on('error', () => {}).pipe(socket)
      }).listen(0, '127.0.0.1')
      await once(backend, 'listening')
    })
    afterEach(() => {
      module?.unload()
      for (const socket of connections) socket.destroy()
      connections.clear()
      backend.close()
    })

    const start = async (options: Partial<ProxyOptions>, events?: EventHub) => {
      const { port } = backend.address() as AddressInfo
      return startProxy({ backend: `127.0.0.1:${port}`, seed: 1, ...options }, events)
    }

    /** What comes back, byte for byte, until it ends. */
    const echo = async (proxy: Proxy, text: string) => {
      const socket = connect(proxy.address.port, '127.0.0.1')
      let got = ''
      socket.on('data', (bytes) => (got += bytes.toString('latin1'))).end(text)
      await once(socket, 'close')
      return got
    }

    it('1. nothing', async () => {
      module = await loadModule('step1.mjs', directory)
      await using proxy = await start({ faults: [{ type: 'shout' }] })
      assert.equal(await echo(proxy, 'hello'), 'hello')
    })

    it('2. it does something', async () => {
      module = await loadModule('step2.mjs', directory)
      await using proxy = await start({ faults: [{ type: 'shout' }] })
      assert.equal(await echo(proxy, 'hello'), 'HELLO')
    })

    it('3. it has attributes', async () => {
      module = await loadModule('step3.mjs', directory)
      await using proxy = await start({
        faults: [{ type: 'shout', name: 'x', attributes: { letters: '50%' } }],
      })
      const some = await echo(proxy, 'a'.repeat(1000))
      const capitals = some.replaceAll('a', '').length
      assert.equal(some.toLowerCase(), 'a'.repeat(1000))
      assert.ok(capitals > 400 && capitals < 600, String(capitals))
      proxy.updateFault('x', { attributes: { letters: 0 } })
      assert.equal(await echo(proxy, 'hello'), 'hello')
      assert.throws(() => proxy.updateFault('x', { attributes: { letters: 2 } }), { code: 'CHAOS_ATTRIBUTE' })
      // The same seed, the same letters.
      await using same = await start({
        faults: [{ type: 'shout', name: 'x', attributes: { letters: '50%' } }],
      })
      assert.equal(await echo(same, 'a'.repeat(1000)), some)
    })

    it('4. it takes its time', async () => {
      module = await loadModule('step4.mjs', directory)
      await using proxy = await start({ faults: [{ type: 'shout', name: 'x', attributes: { breath: 300 } }] })
      const begun = performance.now()
      assert.equal(await echo(proxy, 'hello'), 'HELLO')
      assert.ok(performance.now() - begun >= 299)
      proxy.updateFault('x', { attributes: { breath: '1h' } })
      const waiting = echo(proxy, 'later')
      await once(backend, 'connection')
      const [socket] = [...connections].slice(-1)
      if (socket!.bytesWritten === 0) await once(socket!, 'data')
      proxy.removeFault('x')
      assert.match(await waiting, /^later$/i)
    })

    it('5. it knows requests', async () => {
      module = await loadModule('step5.mjs', directory)
      const events = new EventHub()
      const told: ChaosEvent[] = []
      events.listen((event) => told.push(event))
      await using proxy = await start(
        { protocol: 'http', faults: [{ type: 'teapot', attributes: { cups: 3 } }] },
        events,
      )
      const response = await fetch(`http://127.0.0.1:${proxy.address.port}/tea`)
      assert.deepEqual([response.status, response.headers.get('x-cups')], [418, '3'])
      const [fault] = told.filter((event) => event.type === 'fault')
      assert.deepEqual([fault!.request, fault!.detail], ['GET /tea', { cups: 3 }])
      await assert.rejects(start({ faults: [{ type: 'teapot' }] }), {
        code: 'CHAOS_ATTRIBUTE',
        message: /only http has teapots/,
      })
    })

    it('and a protocol, in which all faults of requests work', async () => {
      module = await loadModule('lines.mjs', directory)
      await using proxy = await start({
        protocol: 'lines',
        faults: [{ type: 'error', attributes: { says: 'no', skip: 1, every: 2 } }],
      })
      assert.equal(await echo(proxy, 'one\ntwo\nthree\nfour\nfive\n'), 'one\nno\nthree\nno\nfive\n')
      const { rules } = proxy
      assert.equal(rules.all()[0]!.definition.type, 'lines_error')
    })
  })
})

async function blocksOf(language: string): Promise<string[]> {
  const text = await readFile(file, 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gm'))].map(
    ([, block]) => block!,
  )
}
