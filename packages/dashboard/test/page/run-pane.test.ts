import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { formatCount, formatMillis } from '../../page/view/figures.ts'
import type { RunModel } from '../../src/model.ts'
import { launchChromium } from '../support/chromium.ts'

declare global {
  // What support/pane-entry.ts offers in the browser.
  var draw: (options: object) => RunModel
  var goOn: (seconds: number, frames: boolean) => Promise<RunModel>
  var leave: () => void
  var pwned: boolean | undefined
}

describe('the page of a run, in a browser', function () {
  this.timeout(120_000)
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let folder = ''
  /** Whatever a page must never do. */
  let complaints: string[] = []

  before(async function () {
    browser = await launchChromium(this)
    folder = await mkdtemp(join(tmpdir(), 'loads-page-'))
    await build({
      entryPoints: { page: fileURLToPath(new URL('support/pane-entry.ts', import.meta.url)) },
      outdir: folder,
      bundle: true,
      format: 'iife',
      target: 'chrome109',
      logLevel: 'silent',
    })
    const html =
      '<!doctype html><html lang="en"><meta charset="utf-8">' +
      '<meta name="viewport" content="width=device-width, initial-scale=1">' +
      '<link rel="stylesheet" href="page.css"><main></main><script src="page.js"></script>'
    await writeFile(join(folder, 'index.html'), html)
  })

  after(async () => {
    await browser?.close()
    if (folder !== '') await rm(folder, { recursive: true, force: true })
  })

  beforeEach(async () => {
    complaints = []
    context = await browser.newContext({ viewport: { width: 1440, height: 1000 } })
    page = await context.newPage()
    page.setDefaultTimeout(60_000)
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) complaints.push(`request: ${request.url()}`)
    })
    await page.goto(pathToFileURL(join(folder, 'index.html')).href)
  })

  afterEach(async () => {
    await context?.close()
    assert.deepEqual(complaints, [])
  })

  const figure = (name: string) => page.locator(`[data-figure="${name}"] .value`).innerText()

  it('shows the figures of the model', async () => {
    const model = await page.evaluate(() => draw({ seconds: 120, series: 60, ended: true }))
    assert.equal(await figure('hits'), formatCount(model.totals.hits))
    assert.equal(await figure('p95'), formatMillis(model.totals.serviceTime.p95))
    assert.equal(await figure('dropped'), formatCount(model.totals.dropped))
    assert.equal(await page.locator('.headline .badge').innerText(), '✗\nfailed')
    assert.equal(await page.locator('.chart canvas').count(), 8 + Object.keys(model.observed).length)
    assert.equal(await page.locator('[aria-label="Errors"] tr[data-key]').count(), model.errors.length)
    const words = (await page.locator('.plot').first().getAttribute('aria-label')) ?? ''
    assert.match(words, /^Rate\. hits: [\d.,]+\/s to [\d.,]+\/s, [\d.,]+\/s at the end/)
  })

  it('keeps up with a run, and holds no more of it than before', async () => {
    await page.evaluate(() => draw({ seconds: 60, series: 200 }))
    const before = await figure('hits')
    const model = await page.evaluate(() => goOn(30, true))
    assert.notEqual(await figure('hits'), before)
    assert.equal(await figure('hits'), formatCount(model.totals.hits))
    const count = () => page.evaluate(() => document.querySelectorAll('*').length)
    const elements = await count()
    await page.evaluate(() => goOn(120, true))
    assert.ok((await count()) <= elements * 1.05 + 50, `${elements} elements became ${await count()}`)
    await page.evaluate(() => leave())
    assert.equal(await page.locator('main > *').count(), 0)
  })

  it('draws once for all updates that come between two frames', async () => {
    await page.evaluate(() => draw({ seconds: 60, series: 50 }))
    const drawn = await page.evaluate(async () => {
      let changes = 0
      const observer = new MutationObserver((records) => {
        changes += records.length
      })
      const target = document.querySelector('[data-figure="hits"] .value')!
      observer.observe(target, { childList: true, characterData: true, subtree: true })
      await goOn(20, false)
      observer.disconnect()
      return changes
    })
    assert.ok(drawn >= 1 && drawn <= 4, `${drawn} changes`)
  })

  it('does nothing that a name tells it to', async () => {
    await page.evaluate(() => draw({ seconds: 150, series: 300, hostile: true, ended: true }))
    await page.locator('details > summary').click()
    for (const toggle of await page.locator('[aria-label="Errors"] .toggle').all()) await toggle.click()
    await page.locator('.u-over').first().scrollIntoViewIfNeeded()
    const box = (await page.locator('.u-over').first().boundingBox())!
    await page.mouse.move(box.x + box.width * 0.9, box.y + box.height / 2)
    await page.locator('.tooltip:not([hidden])').waitFor()
    assert.equal(await page.evaluate(() => globalThis.pwned), undefined)
    assert.equal(await page.locator('main script, main img, main b b, main a, main style').count(), 0)
    assert.ok((await page.locator('h1').innerText()).includes('<script>alert(1)</script>'))
  })

  it('never scrolls sideways on a phone', async () => {
    await page.setViewportSize({ width: 360, height: 780 })
    for (const hostile of [false, true]) {
      await page.evaluate((isHostile) => draw({ seconds: 150, series: 100, hostile: isHostile }), hostile)
      const [scroll, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
      assert.equal(scroll, inner)
    }
  })

  it('draws the rows in sight of a thousand only, and all that a search finds', async () => {
    await page.evaluate(() => draw({ seconds: 60, series: 2_000 }))
    const rows = page.locator('[aria-label="Requests"] tr[data-key]')
    assert.ok((await rows.count()) < 80)
    await page.locator('[aria-label="Requests"] .scroller').evaluate((box) => box.scrollTo(0, 1e6))
    const last = (await page.locator('table[aria-label="Requests"]').getAttribute('aria-rowcount'))!
    await page.locator(`table[aria-label="Requests"] tr[aria-rowindex="${last}"]`).waitFor()
    assert.ok((await rows.count()) < 80)
    await page.locator('input[type=search]').fill('/checkout?v=9 get')
    const names = await page.locator('[aria-label="Requests"] tr[data-key] b').allInnerTexts()
    assert.ok(names.length > 0 && names.every((name) => name.includes('/checkout?v=9')), names.join())
  })

  it('zooms all charts by mouse and by keyboard', async () => {
    await page.evaluate(() => draw({ seconds: 300, series: 20 }))
    const whole = page.getByRole('button', { name: 'Whole run' })
    assert.ok(await whole.isDisabled())
    const over = page.locator('.u-over').first()
    await over.scrollIntoViewIfNeeded()
    const box = (await over.boundingBox())!
    await page.mouse.move(box.x + box.width * 0.3, box.y + 40)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.5, box.y + 44, { steps: 4 })
    await page.mouse.up()
    assert.ok(await whole.isEnabled())
    await page.mouse.dblclick(box.x + box.width / 2, box.y + 40)
    assert.ok(await whole.isDisabled())
    await page.locator('.plot').nth(1).focus()
    await page.keyboard.press('ArrowRight')
    await page.locator('.tooltip:not([hidden])').waitFor()
    await page.keyboard.press('+')
    assert.ok(await whole.isEnabled())
    await page.keyboard.press('0')
    assert.ok(await whole.isDisabled())
  })

  it('opens rows by keyboard', async () => {
    await page.evaluate(() => draw({ seconds: 200, series: 20 }))
    const errors = page.locator('section[aria-label="Errors"]')
    await errors.locator('tr[tabindex="0"]').focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    assert.match(await errors.locator('pre').innerText(), /^TimeoutError: /)
    await page.keyboard.press('ArrowLeft')
    assert.equal(await errors.locator('pre').count(), 0)
  })

  it('says what is missing of a run that has no figures yet', async () => {
    await page.evaluate(() => draw({ nothing: true }))
    const said = await page.locator('.empty:visible').allInnerTexts()
    for (const words of ['No hits yet.', 'No agent has joined this run yet.', 'Nothing was logged yet.'])
      assert.ok(said.includes(words), words)
    assert.equal(await page.locator('canvas').count(), 0)
    assert.equal(await figure('p95'), '–')
    const model = await page.evaluate(() => goOn(5, true))
    assert.equal(await figure('hits'), formatCount(model.totals.hits))
    // Those out of sight are drawn when they are scrolled to.
    assert.ok((await page.locator('canvas').count()) >= 2)
    await page.locator('.chart').nth(6).scrollIntoViewIfNeeded()
    await page.locator('.chart').nth(6).locator('canvas').waitFor()
  })

  it('is drawn black on white on paper, whatever the theme, and as before afterwards', async () => {
    await page.evaluate(() => {
      document.documentElement.dataset['theme'] = 'dark'
      draw({ seconds: 120, series: 400, ended: true })
    })
    const theme = () => page.evaluate(() => document.documentElement.dataset['theme'])
    const rows = page.locator('[aria-label="Requests"] tr[data-key]')
    const few = await rows.count()
    await page.emulateMedia({ media: 'print' })
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')))
    assert.equal(await theme(), 'light')
    assert.ok((await rows.count()) > few)
    assert.equal(await page.locator('.switch:visible, input:visible').count(), 0)
    await page.evaluate(() => dispatchEvent(new Event('afterprint')))
    assert.equal(await theme(), 'dark')
    assert.equal(await rows.count(), few)
  })
})
