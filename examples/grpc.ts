import { TestCase } from 'loads-runner'

interface Greeter {
  SayHello(request: { name: string }): Promise<{ text: string }>
  SayManyHellos(request: { name: string; count: number }): AsyncIterable<{ text: string }>
}

/** gRPC: calls and streams of the service in `greeter.proto`, which travels to agents by itself. */
export class TestGrpc extends TestCase {
  async test_hello() {
    const address = this.params['grpc'] ?? 'localhost:9002'
    const greeter = await this.grpc<Greeter>('greeter.proto', 'demo.Greeter', { address })
    const { text } = await greeter.SayHello({ name: 'you' })
    this.assertEqual(text, 'Hello you')

    let hellos = 0
    for await (const _ of greeter.SayManyHellos({ name: 'you', count: 3 })) hellos++
    this.assertEqual(hellos, 3)
  }
}
