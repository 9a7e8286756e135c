import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, openTab } from './helpers/browser.ts'
import type { Watched } from './helpers/browser.ts'
import { startServer } from './helpers/own-server.ts'
import { runCli, startCli } from './helpers/run-cli.ts'
import { shownAt, tile, untilEnded } from './helpers/shown-run.ts'

/** What runs where a name is taken for markup. */
const scripts = [
  '<script>window.hacked=1</script>',
  '<img src=x onerror=window.hacked=1>',
  '"><svg onload=window.hacked=1>',
  "'-(window.hacked=1)-'",
  'javascript:window.hacked=1',
  '</script><script>window.hacked=1</script>',
  '</style><img src=x onerror=window.hacked=1>',
  '<!-- \u2028 \u202E {{constructor}} ${window.hacked=1}',
  '__proto__',
]
const [script, image, svg] = scripts as [string, string, string]
const long = `${image}${'x'.repeat(10_000)}`

const hostileTests = (url: string) => ({
  'evil.ts': `
    import { TestCase } from 'loads-runner'
    const names = ${JSON.stringify([...scripts, long])}
    export class TestEvil extends TestCase {
      async ['test_<img src=x onerror=window.hacked=1>']() {
        const name = names[this.iteration % names.length]
        await this.tagged({ ['tenant']: name.slice(0, 200) }, async () => {
          await this.session.get('${url}/', { name })
        })
        this.incrCounter(name)
        this.check(name, () => this.iteration % 2 === 0)
        if (this.iteration < 3) this.annotate(name.slice(0, 400), { [${JSON.stringify(image)}]: name.slice(0, 100) })
        if (this.iteration % 3 === 1) this.fail(name)
        if (this.iteration % 3 === 2) {
          const error = new Error(name)
          error.name = name
          error.stack = name + '\\n    at ' + name
          throw error
        }
        await new Promise((done) => setTimeout(done, 20))
      }
    }`,
})

const hostileFacts = ['--project-name', script, '--user-id', image].concat(
  ...[`${svg}=${script}`, `commit=${image}`].map((label) => ['--label', label]),
)

/** Everything was drawn, opened and hovered: whatever could run has run by now. */
async function assertInert({ page, troubles }: Watched): Promise<void> {
  for (const summary of await page.locator('section summary').all()) await summary.click()
  for (const toggle of await page.locator('.toggle:visible').all()) await toggle.click().catch(() => {})
  const chart = page.locator('canvas').first()
  if ((await chart.count()) > 0) await chart.hover({ force: true })
  // Two frames: what is drawn later is drawn.
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
  assert.equal(await page.evaluate('window.hacked'), undefined)
  const foreign = await page.evaluate(
    `[...document.querySelectorAll('body img, body iframe, body object, body a[href^="javascript:"], main script, #root script, [onerror], [onload]')].map((at) => at.outerHTML.slice(0, 200))`,
  )
  assert.deepEqual(foreign, [])
  assert.deepEqual(troubles, [])
}

const isShown = (page: Page, text: string) =>
  page.getByText(text, { exact: false }).first().waitFor({ state: 'attached' })

/** The names are there: what is inert because it is absent shows nothing. */
async function areRequests(page: Page): Promise<void> {
  const requests = page.locator('section[aria-label=Requests]')
  for (const name of [...scripts.slice(0, 7), `${image}xxx`])
    await requests.getByText(`GET ${name}`).first().waitFor({ state: 'attached' })
  const errors = page.locator('section[aria-label=Errors]')
  for (const text of [script, image]) await errors.getByText(text).first().waitFor({ state: 'attached' })
}

describe('hostile names on the page and in the report', function () {
  this.timeout(360_000)
  let browser: Browser

  before(async function () {
    browser = await openBrowser(this)
  })

  after(async () => {
    await browser?.close()
  })

  it('are text: in the run, the list, the comparison and the report', async () => {
    const target = await startServer()
    const files = hostileTests(target.url)
    // A run that is over, to compare with.
    const first = await runCli(['evil', '--users', '1', '--iterations', '20', ...hostileFacts], { files })
    assert.ok(first.summary !== null, first.stderr)
    const { directory } = first
    const load = ['--users', '3', '--duration', '600s', ...hostileFacts]
    const cli = await startCli(['evil', ...load, '--dashboard', '--dashboard-bind', '127.0.0.1:0'], {
      cwd: directory,
      timeoutMs: 300_000,
    })
    const [, url, token] = await cli.waitForLine(shownAt)
    await target.sawRequests(100)

    const run = await openTab(browser)
    await run.page.goto(`${url}#token=${token}`)
    await run.page.locator(tile('hits')).waitFor()
    const runId = decodeURIComponent(new URL(run.page.url()).hash.replace('#/runs/', ''))
    await areRequests(run.page)
    // Said by somebody else while the page is open.
    await run.page.locator('#note').fill(image)
    await run.page.locator('#note').press('Enter')
    await run.page.locator('.changes', { hasText: image }).waitFor()
    await assertInert(run)

    const list = await openTab(browser)
    await list.page.goto(`${url}#/runs`)
    await list.page.locator('tr[data-key]').nth(1).waitFor()
    await isShown(list.page, script)
    await assertInert(list)
    await list.page.locator('#search').fill(image)
    await assertInert(list)

    const both = await openTab(browser)
    const runs = new URLSearchParams({ before: first.summary.runId, after: runId })
    await both.page.goto(`${url}#/compare?${runs}`)
    await both.page.locator('.compare-content canvas').first().waitFor()
    await isShown(both.page, image)
    await assertInert(both)

    // The address itself is of somebody's making, too.
    const wrong = await openTab(browser)
    await wrong.page.goto(`${url}#/runs/${encodeURIComponent(image)}`)
    await wrong.page.locator('.wait', { hasText: image }).waitFor()
    await assertInert(wrong)

    cli.kill('SIGINT')
    const { summary } = await cli.result
    assert.ok(summary !== null)
    await untilEnded(run.page)
    await assertInert(run)

    for (const name of (await readdir(join(directory, 'results'))).filter((each) => each !== 'latest')) {
      const report = await openTab(browser)
      await report.page.goto(pathToFileURL(join(directory, 'results', name, 'report.html')).href)
      await report.page.locator(tile('hits')).waitFor()
      await areRequests(report.page)
      await assertInert(report)
      assert.equal(report.requests.length, 1)
    }
  })
})
