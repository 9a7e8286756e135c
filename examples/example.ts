import { TestCase } from 'loads-runner'

export class TestWebSite extends TestCase {
  async test_es() {
    const res = await this.session.get('http://localhost:9200')
    this.assertEqual(res.status, 200)
  }

  async test_something() {
    const results: string[] = []
    const ws = await this.createWs('ws://localhost:9000/ws', { onMessage: (text) => results.push(text) })
    await ws.send('something')
    await ws.receive()
    await ws.send('happened')
    await ws.receive()
    this.assertEqual(results, ['something', 'happened'])
  }
}
