import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import type { Comparison } from '@loads-runner/history'
import type { RunListRow } from '@loads-runner/dashboard'
import type { Browser } from 'playwright-core'
import { formatCount } from '../packages/dashboard/page/view/figures.ts'
import { quantileText } from '../packages/dashboard/page/view/quantiles.ts'
import { openBrowser, openTab } from './helpers/browser.ts'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { runCli, startCli } from './helpers/run-cli.ts'
import { countOf, figuresOf, shownAt, shownFigures, tile, untilEnded } from './helpers/shown-run.ts'
import { StandingCluster } from './helpers/standing-cluster.ts'

const shop = ({ url }: OwnServer) => ({
  'shop.ts': `
    import { TestCase } from 'loads-runner'
    export class TestShop extends TestCase {
      async test_shop() {
        await this.session.get('${url}/basket', { name: '/basket' })
        await this.session.get('${url}/fast', { name: '/fast' })
      }
    }`,
})

const runsAt = /runs are shown at (http:\/\/([\d.]+:\d+)\/); the token for changes: (.+)$/

describe('the page of a broker', function () {
  this.timeout(480_000)
  let browser: Browser

  before(async function () {
    browser = await openBrowser(this)
  })

  after(async () => {
    await browser?.close()
  })

  it('has all its runs, also after it was killed and started again', async () => {
    const target = await startServer()
    target.answer = (_request, response) => void setTimeout(() => response.end('{}'), 10)
    const http = ['--http', '127.0.0.1:0']
    const cluster = await StandingCluster.start({
      agents: ['a1', 'a2'],
      brokerArgs: http,
      files: shop(target),
    })
    const [, url, place, tokenFile] = await cluster.broker.waitForLine(runsAt)
    assert.equal((await stat(tokenFile!)).mode & 0o777, 0o600)
    const token = (await readFile(tokenFile!, 'utf8')).trim()

    const project = ['--project-name', 'shop']
    const early = await cluster.run(['shop', '--agents', '2', '--iterations', '15', ...project])
    assert.equal(early.exitCode, 0, early.stderr)

    const taken = await runCli(
      ['--bind', '127.0.0.1:0', '--state-dir', `${cluster.stateDir}-2`, '--http', place!],
      {
        binary: 'loads-broker',
      },
    )
    assert.equal(taken.exitCode, 4, taken.stderr)
    assert.match(
      taken.stderr,
      new RegExp(`dashboard cannot listen on ${place}: the port is in use: give another`),
    )

    target.forget()
    const load = ['--agents', '2', '--users', '4', '--duration', '600s', ...project]
    const cut = await cluster.start(['shop', ...load], { timeoutMs: 400_000 })
    await target.sawRequests(50)
    const tabs = [await openTab(browser), await openTab(browser, { colorScheme: 'dark' })]
    for (const { page } of tabs) {
      await page.goto(`${url}#token=${token}`)
      await page.locator('.status[data-kind=live]').waitFor()
      await page.waitForFunction(
        () =>
          Number(document.querySelector('[data-figure=hits] .value')?.textContent?.replaceAll(',', '')) > 50,
        undefined,
        { polling: 100 },
      )
    }
    const runOf = (address: string) => decodeURIComponent(new URL(address).hash.replace('#/runs/', ''))
    const cutId = runOf(tabs[0]!.page.url())
    const list = await openTab(browser)
    await list.page.goto(`${url}#/runs`)
    await list.page.locator(`tr[data-key="${cutId}"] .badge`, { hasText: 'running' }).waitFor()

    cluster.broker.kill('SIGKILL')
    for (const { page } of tabs) await page.locator('.status[data-kind=lost]').waitFor()
    const shown = countOf((await tabs[0]!.page.locator(tile('hits')).textContent())!)
    assert.ok(shown > 50)
    await cluster.startBroker(['--http', place!])
    await cluster.broker.waitForLine(runsAt)
    // A broker that was killed knows of its runs what it has written down, and says that they have no end.
    for (const { page } of tabs) {
      await page.locator('.headline .title', { hasText: 'no end' }).waitFor({ timeout: 60_000 })
      await untilEnded(page)
      const hits = countOf((await page.locator(tile('hits')).textContent())!)
      assert.ok(hits >= shown && hits <= target.seen.length, `${hits} hits, ${shown} before`)
      assert.equal(await page.getByRole('button', { name: 'Stop' }).isVisible(), false)
    }
    assert.equal((await cut.result).exitCode, 4)
    assert.equal((await readFile(tokenFile!, 'utf8')).trim(), token)
    for (const agent of cluster.agents.values()) await agent.waitForLine(/the broker is back/)

    // The list that was open all the time has the next run.
    target.forget()
    const next = await cluster.start(['shop', ...load], { timeoutMs: 400_000 })
    await target.sawRequests(50)
    const active = list.page.locator('tr[data-key]', { hasText: 'running' })
    await active.waitFor({ timeout: 60_000 })
    await active.click()
    await list.page.locator('.status[data-kind=live]').waitFor()
    const runId = runOf(list.page.url())
    assert.notEqual(runId, cutId)
    for (const { page } of tabs) {
      await page.goto(`${url}#/runs/${runId}`)
      await page.locator('.status[data-kind=live]').waitFor()
    }
    await tabs[1]!.page.getByRole('button', { name: 'Stop' }).click()
    await tabs[1]!.page.locator('dialog').getByRole('button', { name: 'Stop' }).click()
    const late = await next.result
    assert.equal(late.exitCode, 7, late.stdout + late.stderr)
    for (const { page, troubles } of [list, ...tabs]) {
      await untilEnded(page)
      assert.deepEqual(await shownFigures(page), figuresOf(late.summary!))
      assert.deepEqual(troubles, [])
    }

    // The list, and what is on disk since before the restart.
    const { page, troubles } = await openTab(browser)
    await page.goto(`${url}#/runs`)
    await page.locator(`tr[data-key="${runId}"] .badge`, { hasText: 'aborted' }).waitFor()
    const past = page.locator(`tr[data-key="${early.summary!.runId}"]`)
    assert.match(await past.innerText(), /passed/)
    assert.match(await page.locator(`tr[data-key="${cutId}"]`).innerText(), /no end/)
    assert.match(await page.locator('.count').innerText(), /^3 runs$/)
    await past.click()
    await page.locator(tile('hits')).waitFor()
    assert.deepEqual(await shownFigures(page), figuresOf(early.summary!))
    assert.deepEqual(troubles, [])
    const rows = (await (await fetch(`${url}api/runs`)).json()) as RunListRow[]
    assert.deepEqual(
      rows.map((row) => [row.runId, row.verdict]),
      [
        [runId, 'aborted'],
        [cutId, null],
        [early.summary!.runId, 'passed'],
      ],
    )
    assert.deepEqual([rows[0]!.hits, rows[2]!.hits], [late.summary!.hits.count, 60])
  })

  it('compares two runs as the command line does', async () => {
    const target = await startServer()
    let basketMs = 4
    target.answer = (request, response) =>
      void setTimeout(() => response.end('{}'), request.url === '/basket' ? basketMs : 2)
    const load = ['--users', '2', '--iterations', '40']
    const one = await runCli(['shop', ...load], { files: shop(target) })
    const { directory } = one
    // By far, and more than what a busy machine adds to the answers before.
    basketMs = 150
    const other = await runCli(['shop', ...load], { cwd: directory })
    const [before, after] = [one.summary!, other.summary!]
    const cli = await startCli(
      ['shop', '--users', '1', '--duration', '600s', '--dashboard', '--dashboard-bind', '127.0.0.1:0'],
      { cwd: directory, timeoutMs: 300_000 },
    )
    const [, url] = await cli.waitForLine(shownAt)
    const { stdout } = await runCli(['compare', before.runId, after.runId, '--json'], {
      binary: 'loads',
      cwd: directory,
      json: false,
    })
    const said = JSON.parse(stdout) as Comparison
    const words = new URLSearchParams({ before: before.runId, after: after.runId })
    const answer = await fetch(`${url}api/compare?${words}`)
    assert.equal(answer.status, 200)
    const served = (await answer.json()) as Comparison
    assert.deepEqual(served.series, said.series)
    assert.match(said.series.find(({ name }) => name.includes('basket'))!.change, /slower/)

    const { page, troubles } = await openTab(browser)
    await page.goto(`${url}#/compare?${words}`)
    await page.locator('.compare-content canvas').first().waitFor()
    const requests = page.locator('section[aria-label=Requests]')
    await requests.locator('tr', { hasText: 'slower' }).first().waitFor()
    const rows = await requests.evaluate((section) => {
      const texts = (at: Element, tag: string) =>
        [...at.querySelectorAll(tag)].map((cell) => cell.textContent.trim())
      const titles = texts(section, 'thead th')
      return [...section.querySelectorAll('tr[data-key]')].map((row) =>
        Object.fromEntries(texts(row, 'td').map((text, place) => [titles[place]!, text])),
      )
    })
    assert.equal(rows.length, 2)
    for (const row of rows) {
      const of = ({ series }: typeof before) =>
        series.find(({ method, name }) => `${method} ${name}` === row['Name'])!
      const [so, then] = [of(before), of(after)]
      assert.equal(row['Hits before'], formatCount(so.count))
      assert.equal(row['Hits after'], formatCount(then.count))
      assert.equal(row['p95 before'], quantileText(so.serviceTime, 'p95'))
      assert.equal(row['p95 after'], quantileText(then.serviceTime, 'p95'))
      const effect = said.series.find(({ name }) => row['Name']!.endsWith(name))!
      assert.equal(row['Effect']!.split(',')[0], effect.change)
      if (effect.change === 'same') continue
      const delta = /δ ([+−-])([\d.]+)/.exec(row['Effect']!)!
      assert.equal(delta[1] === '+', effect.delta! > 0)
      assert.equal(delta[2], Math.abs(effect.delta!).toFixed(2))
    }
    // The largest change is first, and says which way.
    assert.equal(rows[0]!['Name'], 'GET /basket')
    assert.match(rows[0]!['p95 ratio']!, /^▲ /)
    assert.deepEqual(troubles, [])
    const nothing = await fetch(`${url}api/compare?before=${before.runId}&after=../../etc`)
    assert.equal(nothing.status, 404)
    cli.kill('SIGINT')
    await cli.result
  })
})
