import { stringLiteral } from './expression.ts'

/** The files that `loads init` makes. */

/** Where runs leave their results. */
export const ignoredLine = 'results/'

const defaultUrl = 'http://localhost:8080'

/** @param url null: a comment says what to change */
export function testText(url: string | null): string {
  const todo =
    url === null
      ? '// Change serverUrl to the address of your server, and the path below to one that it has.\n'
      : ''
  return `${todo}import { TestCase } from 'loads-runner'

export class TestWebSite extends TestCase {
  static serverUrl = ${stringLiteral(url ?? defaultUrl)}

  async test_home() {
    const page = await this.session.get('/')
    this.assertEqual(page.status, 200)
  }
}
`
}

export function configText(): string {
  return `import { defineConfig } from 'loads-runner'

// Options of loads-runner: \`npx loads-runner --help\` lists them all.
export default defineConfig({
  tests: ['website.TestWebSite'],
  users: 2,
  threshold: ['errors: rate<0.01'],
  profiles: {
    // npx loads-runner --profile load
    load: {
      users: 50,
      duration: '1m',
      rampUp: '10s',
      threshold: ['errors: rate<0.01', 'http_req_duration: p(95)<500'],
    },
  },
})
`
}

export function workflowText(): string {
  return `name: loads
on:
  workflow_dispatch:
  pull_request:

jobs:
  load:
    runs-on: ubuntu-latest
    timeout-minutes: 15
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: 22
      - run: npm install
      # Start your server here, or add --server-url with the address of one that runs.
      - run: npx loads-runner --json summary.json
      # Exit codes: 1 tests failed, 99 a threshold was crossed; see loads-runner --help for all.
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: loads
          path: |
            summary.json
            results/
`
}
