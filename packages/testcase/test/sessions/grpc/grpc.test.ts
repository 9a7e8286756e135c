import assert from 'node:assert/strict'
import type { GrpcStream } from '../../../src/sessions/grpc/grpc-stream.ts'
import { runInstrumented } from '../../../src/instrument/index.ts'
import { TestCase } from '../../../src/test-case.ts'
import { settleExecution } from '../../../src/user-link.ts'
import { serveGreeter, stopGreeters } from '../../helpers/greeter.ts'
import { closedPort, makeCertificate } from '../../helpers/servers.ts'
import { makeUser, releaseUsers, type TestUser } from '../../helpers/user.ts'

interface Hello {
  name?: string
  times?: number
}
interface Reply {
  message: string
  big_number: string
}

/** What a user may say of the service, for TypeScript. */
interface Greeter {
  SayHello(request: Hello, options?: object): Promise<Reply>
  SayMany(request: Hello, options?: object): GrpcStream<Hello, Reply>
  Collect(): GrpcStream<Hello, Reply>
  Chat(options?: object): GrpcStream<Hello, Reply>
}

const hitsOf = ({ meter }: TestUser) =>
  meter.hits.map(({ kind, name, method, status, failed }) => [kind, name, method, status, failed])

const counted = ({ meter }: TestUser, name: string) =>
  meter.values.filter(([, each]) => each === name).reduce((sum, [, , value]) => sum + value, 0)

describe('gRPC', () => {
  let address: string
  let user: TestUser

  beforeEach(async () => {
    address = await serveGreeter()
    user = makeUser({ serverUrl: `http://${address}` })
  })

  afterEach(async () => {
    await releaseUsers()
    stopGreeters()
  })

  const greeter = () => user.test.grpc<Greeter>('greeter.proto', 'demo.Greeter')

  it('calls a method as the .proto file says: one hit, with its bytes', async () => {
    const client = await user.test.grpc('greeter.proto', 'demo.Greeter')
    const { message, big_number } = await client['SayHello']!({ name: 'you' })
    assert.deepEqual([message, big_number], ['hello you', '9007199254740993'])
    const again = await client['sayHello']!(
      {},
      { metadata: { who: 'me' }, name: 'greeting', tags: { a: 'b' } },
    )
    assert.equal(again['message'], 'hello me')
    assert.deepEqual(hitsOf(user), [
      ['grpc', 'demo.Greeter/SayHello', '', 'OK', false],
      ['grpc', 'greeting', '', 'OK', false],
    ])
    const [hit, other] = user.meter.hits
    // The tag and the length of a field are two bytes.
    assert.equal(hit!.bytesOut, 'you'.length + 2)
    assert.ok(hit!.bytesIn > 'hello you'.length && hit!.micros > 0)
    assert.deepEqual(other!.tags, { a: 'b' })
  })

  it('gives the same client again, over the same channel', async () => {
    assert.equal(await greeter(), await greeter())
    const elsewhere = await user.test.grpc('greeter.proto', 'demo.Greeter', { address: `grpc://${address}` })
    assert.notEqual(elsewhere, await greeter())
    assert.equal((await elsewhere['SayHello']!({ name: 'x' }))['message'], 'hello x')
  })

  it('throws a status that is not OK, with what the server said', async () => {
    const client = await greeter()
    await assert.rejects(client.SayHello({ name: '!NOT_FOUND' }), {
      name: 'GrpcError',
      status: 'NOT_FOUND',
      details: 'no NOT_FOUND today',
      method: 'demo.Greeter/SayHello',
      message: 'demo.Greeter/SayHello: NOT_FOUND: no NOT_FOUND today',
    })
    await assert.rejects(client.SayHello({ name: 'slow' }, { timeout: 30 }), { status: 'DEADLINE_EXCEEDED' })
    const gone = await user.test.grpc<Greeter>('greeter.proto', 'demo.Greeter', {
      address: `127.0.0.1:${await closedPort()}`,
    })
    await assert.rejects(gone.SayHello({}), { status: 'UNAVAILABLE' })
    assert.deepEqual(
      hitsOf(user).map(([, , , status, failed]) => [status, failed]),
      [
        ['NOT_FOUND', true],
        ['DEADLINE_EXCEEDED', true],
        ['UNAVAILABLE', true],
      ],
    )
    assert.ok(user.meter.hits[1]!.micros >= 25_000)
  })

  it('refuses what is no call: nothing is recorded', async () => {
    const client = await greeter()
    await assert.rejects(client.SayHello('x' as never), {
      name: 'UsageError',
      message: /a message is an object/,
    })
    await assert.rejects(client.SayHello({}, { metadata: { 'bad name': 'x' } }), {
      name: 'UsageError',
      message: /metadata "bad name"/,
    })
    assert.deepEqual(user.meter.hits, [])
    const cases: [Promise<unknown>, RegExp][] = [
      [user.test.grpc('none.proto', 'demo.Greeter'), /none\.proto cannot be read as a \.proto file/],
      [user.test.grpc('greeter.proto', 'Greeter'), /has no service "Greeter"; it has demo\.Greeter/],
      [user.test.grpc('greeter.proto', 'demo.HelloReply'), /has no service/],
      [user.test.grpc('greeter.proto', 'demo.Greeter', { address: 'http://x/path' }), /is no gRPC address/],
    ]
    for (const [opening, message] of cases) await assert.rejects(opening, { name: 'UsageError', message })
    const nowhere = makeUser()
    await assert.rejects(nowhere.test.grpc('greeter.proto', 'demo.Greeter'), { name: 'ServerUrlError' })
  })

  it('receives a stream, to its end, to its error, or as far as the test reads', async () => {
    const client = await greeter()
    const seen: string[] = []
    for await (const { message } of client.SayMany({ name: 'x', times: 3 })) seen.push(message)
    assert.deepEqual(seen, ['x 0', 'x 1', 'x 2'])

    const failing = client.SayMany({ name: '!ABORTED', times: 1 })
    assert.equal((await failing.receive()).message, '!ABORTED 0')
    await assert.rejects(failing.receive(), { name: 'GrpcError', status: 'ABORTED' })
    await assert.rejects(failing.receive(), {
      name: 'StreamError',
      message: /the call has ended \(ABORTED\)/,
    })

    for await (const each of client.SayMany({ name: 'slow', times: 2 })) {
      assert.equal(each.message, 'slow 0')
      break
    }
    settleExecution(user.test)
    assert.deepEqual(
      hitsOf(user).map(([, name, , status, failed]) => [name, status, failed]),
      [
        ['demo.Greeter/SayMany', 'OK', false],
        ['demo.Greeter/SayMany', 'ABORTED', true],
        ['demo.Greeter/SayMany', 'CANCELLED', false],
      ],
    )
    assert.ok(counted(user, 'grpc.messages-received') >= 5)
    assert.equal(user.meter.values.filter(([, name]) => name === 'grpc.first-message').length, 3)
  })

  it('sends a stream and gets its one answer', async () => {
    const client = await greeter()
    const call = client.Collect()
    await call.write({ name: 'a' })
    await call.write({ name: 'b' })
    assert.deepEqual((await call.finish())!.message, 'a b')
    await assert.rejects(call.write({ name: 'c' }), { name: 'StreamError' })
    assert.equal(counted(user, 'grpc.messages-sent'), 2)
    assert.equal(user.meter.hits[0]!.bytesOut, 6)

    const failing = client.Collect()
    await failing.write({ name: '!INTERNAL' })
    await assert.rejects(failing.finish(), { status: 'INTERNAL' })
    assert.deepEqual(
      hitsOf(user).map(([, , , status]) => status),
      ['OK', 'INTERNAL'],
    )
  })

  it('speaks both ways at once', async () => {
    const chat = (await greeter()).Chat({ name: 'chat' })
    for (const name of ['one', 'two']) {
      await chat.write({ name })
      assert.equal((await chat.receive({ timeout: '10s' })).message, `hello ${name}`)
    }
    await assert.rejects(chat.receive({ timeout: 5 }), { message: /no message within 5 ms/ })
    await chat.write({ name: 'three' })
    assert.equal((await chat.finish())!.message, 'hello three')
    assert.equal(chat.readyState, 'closed')
    assert.deepEqual(hitsOf(user), [['grpc', 'chat', '', 'OK', false]])
  })

  it('is cut by the end of the run', async () => {
    const client = await greeter()
    const stream = client.SayMany({ name: 'slow' })
    const receiving = stream.receive()
    const calling = client.SayHello({ name: 'slow' })
    user.cut.abort()
    await assert.rejects(calling, { name: 'InterruptedError' })
    await assert.rejects(receiving, { name: 'InterruptedError' })
    await stream.closed
    await assert.rejects(client.SayHello({}), { name: 'InterruptedError' })
    assert.deepEqual(
      hitsOf(user).map(([, , , status, failed]) => [status, failed]),
      [
        ['interrupted', false],
        ['interrupted', false],
      ],
    )
  })

  it('ends streams with their execution, and the error that nobody saw is thrown', async () => {
    const client = await greeter()
    const open = client.SayMany({ name: 'slow' })
    settleExecution(user.test)
    await open.closed
    assert.deepEqual(hitsOf(user)[0]!.slice(3), ['CANCELLED', false])
    const failing = client.SayMany({ name: '!DATA_LOSS' })
    await failing.closed
    assert.throws(() => settleExecution(user.test), { status: 'DATA_LOSS' })
    assert.equal((await client.SayHello({ name: 'still here' })).message, 'hello still here')
  })

  it('speaks TLS as it is told', async () => {
    const tls = makeCertificate()
    const [, port] = (await serveGreeter(tls)).split(':')
    const call = async (target: Parameters<typeof makeUser>[0], options = {}) => {
      const { test } = makeUser(target)
      const client = await test.grpc<Greeter>('greeter.proto', 'demo.Greeter', options)
      return (await client.SayHello({ name: 'safe' })).message
    }
    const serverUrl = `https://localhost:${port}`
    assert.equal(await call({ serverUrl, ca: tls.cert }), 'hello safe')
    assert.equal(await call({ insecure: true }, { address: `grpcs://localhost:${port}` }), 'hello safe')
    assert.equal(await call({ insecure: true }, { address: `localhost:${port}`, tls: true }), 'hello safe')
    await assert.rejects(call({ serverUrl }), { status: 'UNAVAILABLE' })
    await assert.rejects(call({ serverUrl, cert: 'no PEM', key: 'no PEM' }), {
      name: 'UsageError',
      message: /no valid PEM/,
    })
  })

  it('is a hit once where its class is instrumented', async () => {
    class TestClients extends TestCase {
      static override instrument = ['http2', 'net']
    }
    const other = makeUser({ serverUrl: `http://${address}` }, TestClients)
    await runInstrumented(other.context, async () => {
      const client = await other.test.grpc<Greeter>('greeter.proto', 'demo.Greeter')
      await client.SayHello({ name: 'x' })
    })
    assert.deepEqual(hitsOf(other), [['grpc', 'demo.Greeter/SayHello', '', 'OK', false]])
  })
})
