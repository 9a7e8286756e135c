import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ControlClient, ControlFailure, type RemoteProxy } from '../../src/client/index.ts'
import { startProxy } from '../../src/proxy/proxy.ts'
import { Control } from '../support/control.ts'
import { EchoServer } from '../support/echo-server.ts'
import { dialError } from '../support/talk.ts'

const clientModule = fileURLToPath(new URL('../../src/client/index.ts', import.meta.url))

describe('a lease', () => {
  let control: Control
  let echo: EchoServer
  let proxy: RemoteProxy

  beforeEach(async () => {
    control = await Control.start()
    echo = await EchoServer.start()
    proxy = await new ControlClient(control.url).create({ name: 'p', backend: echo.address })
  })

  afterEach(async () => {
    await control[Symbol.asyncDispose]()
    await echo[Symbol.asyncDispose]()
  })

  /** A process that begins scopes and does not end them. */
  function holder(then: string) {
    const child = spawn(
      process.execPath,
      [
        '--import=tsx',
        '--input-type=module',
        '--eval',
        `import { ControlClient } from ${JSON.stringify(clientModule)}
         const proxy = new ControlClient(${JSON.stringify(control.url)}).proxy('p')
         await proxy.withFault({ type: 'latency' })
         await proxy.withBehavior('hang')
         console.log('begun')
         ${then}`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    return child
  }

  const types = async () => (await proxy.faults()).map(({ type }) => type)

  async function nothingIsLeft(): Promise<void> {
    while ((await types()).length > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  it('ends with its process: what a killed client had begun is taken back', async () => {
    const child = holder('setInterval(() => {}, 1000)')
    const exit = once(child, 'exit')
    await once(createInterface({ input: child.stdout }), 'line')
    assert.deepEqual(await types(), ['latency', 'hang'])
    child.kill('SIGKILL')
    await exit
    await nothingIsLeft()
  })

  it('keeps no process', async () => {
    const [code] = (await once(holder(''), 'exit')) as [number]
    assert.equal(code, 0)
    await nothingIsLeft()
  })

  it('says that what it held was not there all the time when its connection was cut', async () => {
    const stay = await proxy.addFault({ type: 'bandwidth', attributes: { rate: 500 } })
    const scopes = [await proxy.withFault({ type: 'latency' }), await proxy.withDown()]
    assert.equal((await proxy.state()).enabled, false)
    await using between = await startProxy({ backend: new URL(control.url).host })
    const through = new ControlClient(between.listen).proxy('p')
    const lost = await through.withFault({ type: 'noop' })
    await between.disable()
    await between.enable()
    while ((await types()).includes('noop')) await new Promise((resolve) => setTimeout(resolve, 10))
    await assert.rejects(
      lost.end(),
      (error) =>
        error instanceof ControlFailure && error.code === 'CHAOS_STATE' && /was cut/.test(error.message),
    )
    // Those of others stay, and a client that was cut off may go on.
    assert.deepEqual(await types(), [stay.type, 'latency'])
    await (await through.withFault({ type: 'noop' })).end()
    for (const scope of scopes) await scope.end()
    assert.deepEqual(await types(), [stay.type])
    assert.equal((await proxy.state()).enabled, true)
  })

  it('that nobody holds is no lease', async () => {
    const { status, json } = await control.call('POST', '/proxies/p/scopes', { behavior: 'hang', lease: 'x' })
    assert.deepEqual([status, json.error], [404, 'lease not found'])
    assert.deepEqual(await types(), [])
    for (const lease of [1, {}, true])
      assert.equal((await control.call('POST', '/proxies/p/scopes', { behavior: 'hang', lease })).status, 400)
    // Without one a scope stays until it is ended, as curl would.
    const begun = await control.call('POST', '/proxies/p/scopes', { behavior: 'hang' })
    assert.equal(begun.status, 201)
    assert.equal((await control.call('DELETE', `/proxies/p/scopes/${begun.json.id}`)).status, 204)
    assert.equal((await control.call('DELETE', `/proxies/p/scopes/${begun.json.id}`)).status, 404)
  })

  it('is refused without the token, and where there is no server', async () => {
    await using guarded = await Control.start({ token: 'secret' })
    const { status } = await guarded.call('GET', '/leases')
    assert.equal(status, 401)
    const nobody = new ControlClient(guarded.url)
    await assert.rejects(nobody.proxy('p').withFault({ type: 'noop' }), ControlFailure)
  })

  it('a proxy that several have taken down is up again after the last, whoever that is', async () => {
    const { listen } = await proxy.state()
    const one = await proxy.withDown()
    const two = await control.proxies.get('p').withDown()
    await one.end()
    assert.equal(await dialError(listen), 'ECONNREFUSED')
    await Promise.all([two.end(), two.end(), one.end()])
    assert.equal((await proxy.state()).enabled, true)
    assert.equal((await proxy.state()).listen, listen)
    await proxy.disable()
    await (await proxy.withDown()).end()
    assert.equal((await proxy.state()).enabled, false)
  })
})
