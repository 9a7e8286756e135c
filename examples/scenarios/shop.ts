import { TestCase } from 'loads-runner'

export class TestShop extends TestCase {
  static override serverUrl = 'http://localhost:9200'

  async test_browse() {
    await this.session.get('/')
  }

  async test_look_up() {
    const id = this.random.integer(1, 1000)
    await this.session.get(`/users/${id}?language=${this.params['language']}`, { name: '/users/:id' })
  }

  async test_buy() {
    await this.session.post('/users/me', { json: { order: this.executionId } })
  }
}
