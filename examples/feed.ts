import { TestCase } from 'loads-runner'

/** Each execution has a row of `users.csv` of its own; the file travels to agents by itself. */
export class TestFeed extends TestCase {
  static override serverUrl = 'http://localhost:9200'
  static override load = { users: 2, iterations: 5 }

  async test_user() {
    const { id, name } = await this.feed('users.csv', { mode: 'unique' })
    const answer = await this.session.get(`/users/${id}`, { name: '/users/:id' })
    this.check(`the answer is the user's`, (answer.json() as { id: string }).id === id && name !== '')
  }
}
