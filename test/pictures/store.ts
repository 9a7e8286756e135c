import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A web shop for pictures: its answers take as long as those of real ones, its search is slow for a while, and for a
 * while orders fail. `/metrics` tells how it is.
 */
export class Store {
  readonly #server = createServer((request, response) => this.#answer(request.url ?? '/', response))
  /** How many times longer a search takes. */
  slowness = 1
  /** Share of orders that fail. */
  failing = 0
  #busy = 0
  #cached = 0.93

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #answer(url: string, response: ServerResponse): void {
    const [, what = '', id = '0'] = url.split('/')
    if (what === 'metrics') return this.#tell(response)
    const middleMs = { search: 24, products: 5, basket: 9, orders: 38 }[what] ?? 2
    const slow = what === 'search' || what === 'orders' ? this.slowness : 1
    this.#busy++
    const isRefused = what === 'orders' && Math.random() < this.failing
    const takesMs = isRefused ? 3 + Math.random() * 4 : lognormal(middleMs * slow, 0.45)
    setTimeout(() => {
      this.#busy--
      response.statusCode = isRefused ? 503 : 200
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify({ what, id, text: 'x'.repeat(400 + Math.random() * 900) }))
    }, takesMs)
  }

  #tell(response: ServerResponse): void {
    const wanted = this.slowness > 1 ? 0.58 : 0.93
    this.#cached += (wanted - this.#cached) * 0.35 + (Math.random() - 0.5) * 0.01
    response.end(
      [
        '# TYPE db_connections_in_use gauge',
        `db_connections_in_use ${this.#busy}`,
        '# TYPE cache_hit_ratio gauge',
        `cache_hit_ratio ${this.#cached.toFixed(4)}`,
        '# TYPE order_queue_depth gauge',
        `order_queue_depth ${Math.round(3 + Math.random() * 4 + this.failing * (110 + 40 * Math.random()))}`,
        '',
      ].join('\n'),
    )
  }
}

/** The test that shops there. */
export const shopper = `
  import { TestCase } from 'loads-runner'

  export class TestShopper extends TestCase {
    async test_browse() {
      await this.session.get('/search/' + this.random.integer(1, 50), { name: '/search' })
      await this.session.get('/products/' + this.random.integer(1, 500), { name: '/products/:id' })
    }

    async test_buy() {
      await this.session.get('/products/' + this.random.integer(1, 500), { name: '/products/:id' })
      await this.session.post('/basket', { name: '/basket' })
      const order = await this.session.post('/orders', { name: '/orders' })
      this.check('order was taken', () => order.status === 200)
      this.assertEqual(order.status, 200)
    }
  }
`

/** With this median. */
function lognormal(median: number, sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())
  return median * Math.exp(sigma * normal)
}
