import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Summary } from '@loads-runner/metrics'
import type { RunEvent } from '@loads-runner/protocol'
import { openRecording } from '@loads-runner/history'
import type { Browser } from 'playwright-core'
import { openBrowser, openTab } from './helpers/browser.ts'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { startCli } from './helpers/run-cli.ts'
import { countOf, figuresOf, shownAt, shownFigures, tile, untilEnded } from './helpers/shown-run.ts'

const here = ['--dashboard', '--dashboard-bind', '127.0.0.1:0']

/** A target with fast, slow and broken answers. */
const startMarket = () =>
  startServer((request, response) => {
    const path = request.url ?? ''
    if (path.startsWith('/broken')) response.statusCode = 503
    setTimeout(() => response.end('{}'), path.startsWith('/slow') ? 40 + (Number(path.slice(6)) % 7) * 15 : 2)
  })

const market = ({ url }: OwnServer) => ({
  'market.ts': `
    import { TestCase } from 'loads-runner'
    export class TestMarket extends TestCase {
      async test_buy() {
        const number = Number(this.executionId.split('/').at(-1))
        if (number % 100 === 30) this.annotate('deployed 1.4', { node: 'web-2' })
        await this.session.get('${url}/fast', { name: '/fast' })
        await this.session.get('${url}/slow/' + number, { name: '/slow' })
        if (number % 5 === 0) await this.session.get('${url}/broken', { name: '/broken' })
        if (number % 10 === 3) this.fail('sold out')
      }
    }`,
})

async function eventsOf(runDirectory: string): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  for await (const event of (await openRecording(runDirectory)).events()) events.push(event)
  return events
}

describe('the page of a run', function () {
  this.timeout(360_000)
  let browser: Browser

  before(async function () {
    browser = await openBrowser(this)
  })

  after(async () => {
    await browser?.close()
  })

  it('shows a distributed run while it goes on, and the figures of its summary at the end, as its report does', async () => {
    const target = await startMarket()
    const thresholds = ['hit_duration: p(95)<10000', 'hit_failed: rate<0.01', 'errors: rate<0.5'].flatMap(
      (expression) => ['--threshold', expression],
    )
    const load = ['--agents', '3', '--rate', '40', '--users', '60', '--duration', '30s', '--seed', '7']
    const cli = await startCli(['market', ...load, ...thresholds, ...here], {
      files: market(target),
      timeoutMs: 300_000,
    })
    const [, url, token] = await cli.waitForLine(shownAt)
    await target.sawRequests(150)

    const { page, troubles } = await openTab(browser)
    await page.goto(`${url}#token=${token}`)
    // The only run that goes on is shown at once.
    await page.locator(tile('hits')).waitFor()
    assert.match(page.url(), /#\/runs\/[^?]+$/)
    await page.locator('.status[data-kind=live]').waitFor()
    const lags: number[] = []
    for (let sample = 0; sample < 25; sample++) {
      const shown = countOf((await page.locator(tile('hits')).textContent())!)
      const { seen } = target
      assert.ok(shown <= seen.length, `${shown} hits are shown, the target has seen ${seen.length}`)
      // The first hit that is not shown is so old.
      if (shown < seen.length) lags.push(performance.now() - seen[shown]!.at)
      await page.waitForTimeout(150)
    }
    // A second or two, on a busy machine some more: it goes along with the run.
    lags.sort((one, other) => one - other)
    assert.ok(lags[Math.floor(lags.length / 4)]! < 5_000, `behind: ${lags.map(Math.round).join(' ')} ms`)
    assert.ok(lags.at(-1)! < 15_000, `behind: ${lags.map(Math.round).join(' ')} ms`)
    await page.locator('section[aria-label="What happened"]', { hasText: 'entr' }).waitFor()

    const { exitCode, stderr, stdout, directory } = await cli.result
    await untilEnded(page)
    const results = join(directory, 'results', 'latest')
    const summary = JSON.parse(await readFile(join(results, 'summary.json'), 'utf8')) as Summary
    assert.equal(exitCode, summary.exitCode, stdout + stderr)
    // A slow machine is the limit of a rate.
    assert.ok(exitCode === 99 || exitCode === 6, stdout + stderr)
    // The referee is the target.
    assert.equal(summary.hits.count, target.seen.length)
    assert.equal(
      summary.hits.failed,
      target.seen.filter(({ url: { pathname } }) => pathname === '/broken').length,
    )
    assert.ok(summary.hits.failed > 0 && summary.tests.failures > 0)
    const expected = figuresOf(summary)
    assert.deepEqual(await shownFigures(page), expected)
    assert.deepEqual(Object.keys(expected.requests).toSorted(), ['GET /broken', 'GET /fast', 'GET /slow'])
    assert.deepEqual(Object.keys(expected.agents).length, 3)
    assert.deepEqual(
      Object.values(expected.thresholds).map(([standing]) => standing),
      ['holds', 'crossed', 'holds'],
    )
    const heading = await page.locator('.headline .title').innerText()
    assert.ok(heading.includes(summary.verdict), heading)
    await page.locator('section[aria-label="What happened"] summary').click()
    const happened = await page.locator('section[aria-label="What happened"] table').innerText()
    assert.match(happened, /deployed 1\.4/)
    assert.deepEqual(troubles, [])

    const report = await openTab(browser)
    await report.page.goto(pathToFileURL(join(results, 'report.html')).href)
    await report.page.locator(tile('hits')).waitFor()
    assert.deepEqual(await shownFigures(report.page), expected)
    await report.page.locator('canvas').first().waitFor()
    assert.deepEqual(
      report.requests.map((request) => request.url().replace(/^file:.*\//, '')),
      ['report.html'],
    )
    assert.deepEqual(report.troubles, [])
    assert.ok((await readdir(results)).includes('report.html'))
  })

  for (const [where, agents] of [
    ['a private cluster', ['--agents', '2']],
    ['this process', []],
  ] as const) {
    it(`changes the rate of a run on ${where}, pauses, resumes and stops it, with the token only`, async () => {
      const target = await startMarket()
      const load = ['--controlled', 'rate', '--rate', '20', '--users', '20', '--duration', '600s']
      const cli = await startCli(['market', ...agents, ...load, ...here], {
        files: market(target),
        timeoutMs: 300_000,
      })
      const [, url, token] = await cli.waitForLine(shownAt)
      await target.sawRequests(20)
      const { page, troubles } = await openTab(browser)
      // Without the token, as somebody who was told the address only.
      await page.goto(url!)
      await page.locator(tile('hits')).waitFor()
      const runId = decodeURIComponent(new URL(page.url()).hash.replace('#/runs/', ''))
      const post = (path: string, authorization: string) =>
        fetch(`${url}api/runs/${runId}/${path}`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', Authorization: authorization },
          body: '{"mode":"kill"}',
        })
      assert.equal((await post('stop', '')).status, 401)
      assert.equal((await post('stop', 'Bearer 0123456789abcdefghij')).status, 401)

      await page.getByRole('button', { name: 'Stop' }).click()
      await page.locator('dialog').getByRole('button', { name: 'Stop' }).click()
      await page.locator('#token').fill('no-token-of-this-run')
      await page.keyboard.press('Enter')
      await page.locator('dialog .trouble', { hasText: 'not the token' }).waitFor()
      await page.keyboard.press('Escape')
      await page.locator('.answer', { hasText: 'nothing was changed' }).waitFor()
      assert.match(await page.locator('.headline .title').innerText(), /running/)

      // With the address that the console shows.
      await page.goto(`${url}#/runs/${runId}?token=${token}`)
      const answer = (text: string) => page.locator('.answer', { hasText: text }).waitFor()
      const field = page.getByLabel('per second')
      await field.fill('45')
      await field.press('Enter')
      await answer('set to 45')
      await page.locator('.changes li', { hasText: '45' }).waitFor()

      await page.getByRole('button', { name: 'Pause' }).click()
      await page.getByRole('button', { name: 'Resume' }).waitFor()
      // What was under way ends; then nothing comes.
      for (let quiet = false; !quiet; quiet = target.seen.length === 0) {
        target.forget()
        await page.waitForTimeout(1_000)
      }
      await page.getByRole('button', { name: 'Resume' }).click()
      await target.sawRequests(20)
      await page.getByRole('button', { name: 'Pause' }).waitFor()

      await page.getByRole('button', { name: 'Stop' }).click()
      await page.locator('dialog').getByRole('button', { name: 'Stop' }).click()
      const { exitCode, summary, directory, stdout } = await cli.result
      assert.equal(exitCode, 7, stdout)
      await untilEnded(page)
      assert.deepEqual(await shownFigures(page), figuresOf(summary!))
      // Nothing was cut: what had begun has finished.
      assert.equal(summary!.tests.interrupted, 0)
      assert.deepEqual(troubles, [])

      const me = `${userInfo().username}@${hostname()}`
      const events = await eventsOf(join(directory, 'results', 'latest'))
      const controls = events.filter((event) => event.type === 'control')
      assert.deepEqual(
        controls.map(({ target: rate, paused, by }) => [rate, paused, by]),
        [
          [45, false, me],
          [45, true, me],
          [45, false, me],
        ],
      )
      const notes = events.flatMap((event) => (event.type === 'state' ? [event.note] : []))
      assert.ok(notes.includes(`drain was asked for by ${me}`), notes.join('\n'))
    })
  }

  it('ends promptly with the console, and keeps its figures', async () => {
    const target = await startMarket()
    const load = ['--users', '4', '--duration', '600s']
    const cli = await startCli(['market', ...load, ...here], { files: market(target), timeoutMs: 300_000 })
    const [, url, token] = await cli.waitForLine(shownAt)
    await target.sawRequests(20)
    const tabs = [await openTab(browser), await openTab(browser)]
    for (const { page } of tabs) {
      await page.goto(`${url}#token=${token}`)
      await page.locator('.status[data-kind=live]').waitFor()
    }
    const asked = performance.now()
    cli.kill('SIGINT')
    const { exitCode, summary } = await cli.result
    // Open pages do not hold it up: executions take far less than a second.
    assert.ok(performance.now() - asked < 45_000)
    assert.equal(exitCode, 130)
    for (const { page, troubles } of tabs) {
      await untilEnded(page)
      assert.deepEqual(await shownFigures(page), figuresOf(summary!))
      assert.match(await page.locator('.headline .title').innerText(), /aborted/)
      // Nobody is there any more: that changes nothing of what is shown.
      await page.waitForTimeout(1_500)
      await untilEnded(page)
      assert.equal(await page.locator(tile('hits')).textContent(), figuresOf(summary!).hits)
      assert.deepEqual(troubles, [])
    }
    await assert.rejects(fetch(url!))
  })
})
