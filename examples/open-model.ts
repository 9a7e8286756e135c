import { TestCase } from 'loads-runner'

/** Fifty executions start each second, whatever the target does: its response time shows what users would wait. */
export class TestOpenModel extends TestCase {
  static override serverUrl = 'http://localhost:9200'
  static override load = { rate: '50/s', duration: '5s', users: 100 }
  static override thresholds = ['response_time: p(95)<500', 'errors<1%']

  async test_front_page() {
    const answer = await this.session.get('/')
    this.assertEqual(answer.status, 200)
  }
}
