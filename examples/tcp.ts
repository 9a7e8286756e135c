import { TestCase } from 'loads-runner'

/** Any protocol over TCP: each exchange is a hit of its own. */
export class TestTcp extends TestCase {
  async test_echo() {
    const echo = await this.tcp(this.params['tcp'] ?? 'localhost:9001')
    const answer = await echo.exchange('hello\n', { name: 'hello', until: '\n' })
    this.assertEqual(answer.toString(), 'hello\n')
    await echo.close()
  }
}
