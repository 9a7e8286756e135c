import { TestCase } from 'loads-runner'

/** Checks are counted and go on; steps measure a group of actions; tags split what is recorded in them. */
export class TestChecksAndSteps extends TestCase {
  static override serverUrl = 'http://localhost:9200'
  static override thresholds = ['checks>99%', 'step_duration{name:visit}: max<2s']

  async test_visit() {
    await this.step('visit', async () => {
      const front = await this.session.get('/')
      this.checks({
        'front page is there': front.status === 200,
        'front page has a tagline': () => 'tagline' in (front.json() as object),
      })
      await this.step('look around', () =>
        this.tagged({ page: 'user' }, () => this.session.get('/users/7', { name: '/users/:id' })),
      )
    })
  }
}
