import { TestCase } from 'loads-runner'
import type { HttpResponse } from 'loads-runner'

/**
 * Two clients of a shop that try again when an answer is a 5xx. Behind the proxy of `proxies.yaml`, the first order of each
 * test reaches the shop, and its answer is lost: the client sees a 503.
 *
 *     loads-runner --test-dir examples/chaos --proxies examples/chaos/proxies.yaml retry.TestRetry
 */
export class TestRetry extends TestCase {
  /** The bug: the second try is a second order. */
  async test_naive() {
    await this.#buyWhileAnswersAreLost({})
  }

  /** The fix: the shop knows the order again by its key. */
  async test_with_key() {
    await this.#buyWhileAnswersAreLost({ 'Idempotency-Key': this.executionId })
  }

  async #buyWhileAnswersAreLost(headers: Record<string, string>) {
    const { shop } = this.proxies
    const customer = `${this.run.id}-${this.executionId}`.replaceAll('/', '-')
    const orders = `http://${shop!.address}/orders/${customer}`
    // The shop does its work, and the client does not hear of it; once.
    await using _ = await shop!.withBehavior('transient', { agitate: 1, statuses: [503], when: 'after' })

    const answer = await this.#withRetries(() =>
      this.session.post(orders, { name: 'POST /orders', headers, json: { item: 'book' } }),
    )
    this.assertEqual(answer.status, 200)
    const { bought } = (await (await this.session.get(orders, { name: 'GET /orders' })).json()) as {
      bought: number
    }
    this.assertEqual(bought, 1, `one book was ordered, the shop sold ${bought}`)
  }

  async #withRetries(request: () => Promise<HttpResponse>): Promise<HttpResponse> {
    for (let attempt = 1; ; attempt++) {
      const answer = await request()
      if (answer.status < 500 || attempt === 3) return answer
    }
  }
}
