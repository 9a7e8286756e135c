import { TestCase } from 'loads-runner'

/** Server-sent events: the opening is a hit, each event is counted, and the time to the first one is measured. */
export class TestEvents extends TestCase {
  static override serverUrl = 'http://localhost:9200'

  async test_prices() {
    const prices: number[] = []
    for await (const { event, data } of await this.openEvents('/prices?count=5&ms=10', { name: '/prices' })) {
      if (event === 'last') break
      prices.push(Number(data))
    }
    this.assertEqual(prices.length, 5)
  }
}
