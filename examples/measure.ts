import { TestCase } from 'loads-runner'

/** Any client of npm: one line makes a call a hit. `static instrument` would do the same for `fetch` by itself. */
export class TestMeasure extends TestCase {
  static override serverUrl = 'http://localhost:9200'

  async test_fetch() {
    const answer = await this.measure('front page with fetch', () =>
      fetch(new URL('/', this.run.data as string)),
    )
    this.assertEqual(answer.status, 200)
    await answer.text()
  }

  /** `--server-url`, or the class's own. */
  static setUpRun({ serverUrl }: { serverUrl: string | null }) {
    return serverUrl ?? TestMeasure.serverUrl
  }
}
