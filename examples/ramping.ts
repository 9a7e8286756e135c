import { TestCase } from 'loads-runner'

/** Up to ten users, stay, and down again, with a pause between two executions of a user. */
export class TestRamping extends TestCase {
  static override serverUrl = 'http://localhost:9200'
  static override load = { stages: ['1s:10', '2s:10', '1s:0'], pause: '100ms..300ms' }

  async test_user_page() {
    const id = this.random.integer(1, 1000)
    await this.session.get(`/users/${id}`, { name: '/users/:id' })
  }
}
