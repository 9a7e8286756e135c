import {
  Server,
  ServerCredentials,
  loadPackageDefinition,
  status,
  type ServiceClientConstructor,
  type ServerUnaryCall,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import path from 'node:path'

interface Hello {
  name: string
  times: number
}
interface Reply {
  message: string
  big_number?: string
}

const servers: Server[] = []

/**
 * A server of `greeter.proto`; `host:port`. Names that begin with `!` are answered by that status; `slow` is never
 * answered.
 */
export async function serveGreeter(tls?: { key: string; cert: string }): Promise<string> {
  const file = path.join(import.meta.dirname, 'greeter.proto')
  const loaded = loadPackageDefinition(loadSync(file, { keepCase: true, longs: String, defaults: true }))
  const { Greeter } = loaded['demo'] as unknown as { Greeter: ServiceClientConstructor }
  const problem = (name: string) => {
    const word = name.slice(1) as keyof typeof status
    return name.startsWith('!') ? { code: status[word] as number, details: `no ${word} today` } : null
  }
  const server = new Server()
  server.addService(Greeter.service, {
    SayHello({ request, metadata }: ServerUnaryCall<Hello, Reply>, answer: sendUnaryData<Reply>) {
      if (request.name === 'slow') return
      const failure = problem(request.name)
      if (failure !== null) return answer(failure)
      const word = request.name === 'trace' ? 'traceparent' : 'who'
      const who = metadata.get(word)[0] ?? request.name
      answer(null, { message: `hello ${String(who)}`, big_number: '9007199254740993' })
    },
    SayMany(call: ServerWritableStream<Hello, Reply>) {
      const { name, times } = call.request
      for (let count = 0; count < times; count++) call.write({ message: `${name} ${count}` })
      const failure = problem(name)
      if (failure !== null) call.emit('error', failure)
      else if (name !== 'slow') call.end()
    },
    Collect(call: ServerReadableStream<Hello, Reply>, answer: sendUnaryData<Reply>) {
      const names: string[] = []
      call.on('data', ({ name }: Hello) => {
        const failure = problem(name)
        if (failure !== null) answer(failure)
        names.push(name)
      })
      call.on('end', () => answer(null, { message: names.join(' ') }))
    },
    Chat(call: ServerDuplexStream<Hello, Reply>) {
      call.on('data', ({ name }: Hello) => call.write({ message: `hello ${name}` }))
      call.on('end', () => call.end())
    },
  })
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) },
        ])
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)))
  })
  servers.push(server)
  return `127.0.0.1:${port}`
}

/** For afterEach: stops all servers of a test at once. */
export function stopGreeters(): void {
  for (const server of servers.splice(0)) server.forceShutdown()
}
