import { TestCase } from 'loads-runner'

/**
 * A load through a proxy that misbehaves by schedule: the bands of `proxies.yaml` stand next to the latencies, live and in the
 * report.
 *
 *     loads-runner --test-dir examples/chaos --proxies examples/chaos/proxies.yaml storm.TestStorm --dashboard
 */
export class TestStorm extends TestCase {
  static override load = { rate: '150/s', duration: '20s', users: 200 }

  async test_browse() {
    await this.session.get(`http://${this.proxies.shop!.address}/`, { name: 'GET /' })
  }
}
