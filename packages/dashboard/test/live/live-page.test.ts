import assert from 'node:assert/strict'
import type { RunEvent } from '@loads-runner/protocol'
import { scenarioOf } from '@loads-runner/protocol/testing'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { DashboardServer } from '../../src/dashboard-server.ts'
import { hostileNames } from '../support/hostile.ts'
import { ScriptedRun, type ScriptOptions } from '../support/scripted-run.ts'
import { runRow, ScriptedSource } from '../support/scripted-source.ts'
import { openBrowser, openPage } from './support/browser.ts'

const token = 'a-token-of-the-tests-0123456789'
const controlled = scenarioOf({
  name: 'buyers',
  stages: [
    {
      type: 'externally-controlled',
      controls: 'users',
      start: 2,
      durationMs: null,
      spacing: 'uniform',
      users: 20,
      maxLateMs: 1000,
    },
  ],
})

describe('the live page', function () {
  this.timeout(120_000)
  let browser: Browser
  let source: ScriptedSource
  let server: DashboardServer
  let page: Page
  let troubles: string[]

  before(async function () {
    browser = await openBrowser(this)
  })

  after(async () => {
    await browser?.close()
  })

  beforeEach(async () => {
    source = new ScriptedSource()
    server = await serve(0)
  })

  afterEach(async () => {
    await page?.context().close()
    await server.close()
    assert.deepEqual(troubles, [])
  })

  function serve(port: number, host = '127.0.0.1'): Promise<DashboardServer> {
    return DashboardServer.start({
      host,
      port,
      source,
      past: null,
      token,
      hostNames: [],
      version: '1',
    })
  }

  /** A run that goes on, with some seconds of figures. */
  function began(runId: string, options: ScriptOptions = {}, seconds = 5): ScriptedRun {
    const run = new ScriptedRun({ runId, startedAt: Date.now() - seconds * 1000, ...options })
    source.see(runRow(runId, { submittedAt: run.startedAt - 1000, startedAt: run.startedAt }))
    source.say(runId, ...run.begin())
    for (let second = 0; second < seconds; second++) source.say(runId, run.second())
    return run
  }

  async function open(hash: string, options: BrowserContextOptions = {}): Promise<void> {
    ;({ page, troubles } = await openPage(browser, options))
    await page.goto(`${server.url}${hash}`)
  }

  const hitsOf = (text: string | null) => Number((text ?? '').replaceAll(',', ''))
  const shownHits = async () => hitsOf(await page.locator('[data-figure=hits] .value').textContent())
  const countedHits = (run: ScriptedRun) => run.summary().hits.count

  async function untilHits(count: number): Promise<void> {
    await page.waitForFunction(
      (wanted) => {
        const text = document.querySelector('[data-figure=hits] .value')?.textContent ?? ''
        return Number(text.replaceAll(',', '')) === wanted
      },
      count,
      { polling: 20 },
    )
  }

  const untilStatus = (kind: string) => page.locator(`.status[data-kind=${kind}]`).waitFor()

  describe('the list', () => {
    it('shows runs that go on and runs that are over, and what is new', async () => {
      began('run-1', { names: ['/a'] })
      source.see(
        runRow('run-2', {
          names: ['search.Facets'],
          state: 'done',
          verdict: 'failed',
          endedAt: 9_000,
          hits: 1_234,
        }),
      )
      await open('#/runs')
      await page.locator('tr[data-key=run-2]').waitFor()
      const text = await page.locator('tr[data-key=run-2]').innerText()
      assert.match(text, /search\.Facets/)
      assert.match(text, /✗\s*failed/)
      assert.match(text, /1,234/)
      assert.match(await page.locator('tr[data-key=run-1]').innerText(), /▶\s*running/)
      assert.match(await page.locator('.count').innerText(), /2 runs, 1 active/)

      source.see(runRow('run-3', { submittedAt: Date.now() }))
      await page.locator('tr[data-key=run-3]').waitFor()
      source.see(runRow('run-3', { state: 'done', verdict: 'passed', endedAt: 10_000 }))
      await page.locator('tr[data-key=run-3] [data-tone=good]').waitFor()
    })

    it('is searched, by keys too, and a search is kept in the address', async () => {
      source.see(runRow('run-1', { project: 'shop', labels: { commit: 'ab12' }, state: 'done', endedAt: 1 }))
      source.see(runRow('run-2', { project: 'search', state: 'done', verdict: 'failed', endedAt: 1 }))
      await open('#/runs')
      await page.locator('tr[data-key=run-1]').waitFor()
      await page.keyboard.press('/')
      await page.keyboard.type('project:shop label:commit=ab')
      await page.locator('tr[data-key=run-2]').waitFor({ state: 'detached' })
      assert.equal(await page.locator('tr[data-key]').count(), 1)
      assert.match(page.url(), /search=project%3Ashop/)
      await page.reload()
      await page.locator('tr[data-key=run-1]').waitFor()
      assert.equal(await page.locator('tr[data-key]').count(), 1)
      await page.fill('#search', 'nothing like it')
      assert.match(await page.locator('.empty').innerText(), /No run is like that/)
    })

    it('is walked with j and k, opened with Enter, and left with g', async () => {
      for (const number of [1, 2, 3]) began(`run-${number}`, {}, number)
      await open('#/runs')
      await page.locator('tr[data-key]').nth(2).waitFor()
      const keys = await page
        .locator('tr[data-key]')
        .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-key')))
      for (const key of ['j', 'j', 'j', 'k']) await page.keyboard.press(key)
      assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('data-key')), keys[1])
      await page.keyboard.press('Enter')
      await page.waitForURL((url) => url.hash === `#/runs/${keys[1]}`)
      await page.locator('.tile').first().waitFor()
      assert.equal(await page.evaluate(() => document.activeElement?.id), 'main')
      await page.keyboard.press('g')
      await page.locator('.runs-page').waitFor()
      await page.keyboard.press('?')
      assert.match(await page.locator('dialog').innerText(), /Keys/)
      await page.keyboard.press('Escape')
      await page.locator('dialog').waitFor({ state: 'detached' })
    })

    it('is passed over when one run only goes on, and is reached from there', async () => {
      began('run-1')
      source.see(runRow('run-2', { state: 'done', endedAt: 1 }))
      await open('')
      await page.locator('.tile').first().waitFor()
      assert.equal(new URL(page.url()).hash, '#/runs/run-1')
      await page.getByRole('link', { name: 'Runs', exact: true }).click()
      await page.locator('tr[data-key=run-2]').waitFor()
    })
  })

  describe('a run', () => {
    it('shows figures within a second after they have come', async () => {
      const run = began('run-1')
      await open('#/runs/run-1')
      await untilHits(countedHits(run))
      await untilStatus('live')
      const delays: number[] = []
      for (let second = 0; second < 5; second++) {
        const said = performance.now()
        source.say('run-1', run.second())
        await untilHits(countedHits(run))
        delays.push(performance.now() - said)
      }
      assert.ok(Math.min(...delays) < 1_000, `after ${delays.map(Math.round).join(', ')} ms`)
      assert.ok(Math.max(...delays) < 10_000, `after ${delays.map(Math.round).join(', ')} ms`)
    })

    it('says that it has ended, and shows the figures of the summary', async () => {
      const run = began('run-1')
      await open('#/runs/run-1')
      await untilStatus('live')
      source.say('run-1', run.finished())
      await untilStatus('ended')
      await page.locator('.headline [data-tone=good]').waitFor()
      assert.equal(await shownHits(), countedHits(run))
      assert.equal(await page.locator('.live-controls').isVisible(), false)
    })

    it('says how old the figures are when none come', async () => {
      began('run-1')
      await open('#/runs/run-1')
      await untilStatus('stale')
      assert.match(await page.locator('.status').innerText(), /last figures \d+ s ago/)
    })

    it('comes back with the right figures after the server was away', async () => {
      const run = began('run-1')
      await open('#/runs/run-1')
      await untilHits(countedHits(run))
      const { port } = server
      await server.close()
      await untilStatus('lost')
      assert.match(
        await page.locator('.status').innerText(),
        /reconnecting since \d+ s; last figures \d+ s ago/,
      )
      // What happens meanwhile is in the figures afterwards, in the same page.
      await page.evaluate(() => Object.assign(globalThis, { isSamePage: true }))
      for (let second = 0; second < 60; second++) source.say('run-1', run.second())
      server = await serve(port)
      await untilStatus('live')
      await untilHits(countedHits(run))
      assert.equal(await page.evaluate(() => 'isSamePage' in globalThis), true)
    })

    it('is up to date when somebody looks again at a page that was hidden', async () => {
      const run = began('run-1')
      await open('#/runs/run-1')
      await untilHits(countedHits(run))
      const session = await page.context().newCDPSession(page)
      await session.send('Emulation.setFocusEmulationEnabled', { enabled: false })
      await session.send('Page.setWebLifecycleState', { state: 'frozen' })
      for (let second = 0; second < 300; second++) source.say('run-1', run.second())
      await session.send('Page.setWebLifecycleState', { state: 'active' })
      await untilHits(countedHits(run))
      await untilStatus('live')
    })

    it('that is not known is said so, and shown when it comes', async () => {
      await open('#/runs/nowhere')
      await untilStatus('refused')
      assert.match(await page.locator('.wait').innerText(), /there is no run "nowhere"/)
      began('nowhere')
      await page.locator('.tile').first().waitFor()
    })
  })

  describe('changes', () => {
    async function openControlled(hash = '#/runs/run-1'): Promise<ScriptedRun> {
      const spec = { profile: { scenarios: [controlled] } } as NonNullable<ScriptOptions['spec']>
      const run = began('run-1', { spec })
      await open(hash)
      await page.locator('.tile').first().waitFor()
      return run
    }

    const giveToken = async (text: string) => {
      await page.locator('#token').fill(text)
      await page.keyboard.press('Enter')
    }

    it('need the token: without it nothing happens, a wrong one is said, the right one is kept', async () => {
      await openControlled()
      await page.getByRole('button', { name: 'Stop' }).click()
      await page.locator('dialog').getByRole('button', { name: 'Stop' }).click()
      await page.locator('#token').waitFor()
      await page.keyboard.press('Escape')
      await page.locator('.answer', { hasText: 'nothing was changed' }).waitFor()
      assert.deepEqual(source.asked, [])

      await page.getByRole('button', { name: 'Stop' }).click()
      await page.locator('dialog').getByRole('button', { name: 'Stop' }).click()
      await giveToken('not-the-token-of-the-tests')
      await page.locator('dialog .trouble', { hasText: 'not the token' }).waitFor()
      assert.deepEqual(source.asked, [])
      await giveToken(token)
      await page.locator('.answer', { hasText: 'the run stops' }).waitFor()
      assert.deepEqual(source.asked, [['stop', 'run-1', 'drain']])

      // The second time it is a cancellation, the third time the end; the token is known.
      for (const [name, mode] of [
        ['Cancel now', 'cancel'],
        ['Kill', 'kill'],
      ] as const) {
        await page.getByRole('button', { name }).click()
        await page.locator('dialog .danger').click()
        await page.locator('.answer', { hasText: mode }).waitFor()
        assert.deepEqual(source.asked.at(-1), ['stop', 'run-1', mode])
      }
    })

    it('take the token from the address, once, and remove it from there', async () => {
      await openControlled(`#/runs/run-1?token=${token}`)
      assert.equal(new URL(page.url()).hash, '#/runs/run-1')
      assert.doesNotMatch(await page.content(), /a-token-of-the-tests/)
      await page.locator('#note').fill('deployed 1.4.2')
      await page.keyboard.press('Enter')
      await page.locator('.answer', { hasText: 'the note is in the run' }).waitFor()
      assert.deepEqual(source.asked, [
        ['annotate', 'run-1', { type: 'note', text: 'deployed 1.4.2', tags: {} }],
      ])
      assert.equal(await page.locator('#note').inputValue(), '')
      await page.reload()
      await page.locator('#note').fill('again')
      await page.keyboard.press('Enter')
      await page.locator('.answer', { hasText: 'the note is in the run' }).waitFor()
      assert.equal(source.asked.length, 2)
    })

    it('set users, pause and resume, and show who has changed what', async () => {
      const run = await openControlled(`#/runs/run-1?token=${token}`)
      const field = page.getByLabel('buyers: users')
      assert.equal(await field.inputValue(), '2')
      await field.fill('12')
      // What is being written is not overwritten by figures that come meanwhile.
      source.say('run-1', run.second())
      await untilHits(countedHits(run))
      assert.equal(await field.inputValue(), '12')
      await field.press('Enter')
      await page.locator('.answer', { hasText: 'buyers is set to 12' }).waitFor()
      assert.deepEqual(source.asked.at(-1), [
        'control',
        'run-1',
        { scenario: 'buyers', target: 12, paused: null },
      ])
      const control: RunEvent = {
        type: 'control',
        at: Date.now(),
        elapsedMs: 6_000,
        scenario: 'buyers',
        target: 12,
        paused: false,
        by: 'ada@lab',
      }
      source.say('run-1', control)
      await page.locator('.changes li', { hasText: 'ada@lab' }).waitFor()
      assert.match(await page.locator('.changes').innerText(), /0:06\s+set to 12 users\s+ada@lab/)
      assert.equal(await field.inputValue(), '12')

      await page.getByRole('button', { name: 'Pause' }).click()
      await page.locator('.answer', { hasText: 'paused' }).waitFor()
      assert.deepEqual(source.asked.at(-1), [
        'control',
        'run-1',
        { scenario: 'buyers', target: null, paused: true },
      ])
      source.say('run-1', { ...control, paused: true })
      await page.getByRole('button', { name: 'Resume' }).waitFor()
    })

    it('say why they are refused', async () => {
      await openControlled(`#/runs/run-1?token=${token}`)
      source.refusal = Object.assign(new Error('buyers cannot have 21 users: it has 20 at most'), {
        code: 'BAD_TARGET',
      })
      await page.getByLabel('buyers: users').fill('21')
      await page.keyboard.press('Enter')
      await page.locator('.answer[data-tone=bad]', { hasText: '20 at most' }).waitFor()
      // What holds is shown again.
      assert.equal(await page.getByLabel('buyers: users').inputValue(), '2')
    })
  })

  describe('where reading needs the token', () => {
    beforeEach(async () => {
      await server.close()
      server = await serve(0, '0.0.0.0')
      began('run-1')
    })

    const openFromOutside = async (hash: string) => {
      ;({ page, troubles } = await openPage(browser))
      await page.goto(`http://127.0.0.1:${server.port}/${hash}`)
    }

    it('is asked for once, and then everything is shown', async () => {
      await openFromOutside('')
      await page.locator('#token').fill(token)
      await page.keyboard.press('Enter')
      await page.locator('.tile').first().waitFor()
      await untilStatus('live')
      assert.equal(await page.locator('dialog').count(), 0)
    })

    it('is taken from the address', async () => {
      await openFromOutside(`#/runs/run-1?token=${token}`)
      await page.locator('.tile').first().waitFor()
      await untilStatus('live')
    })

    it('shows nothing to those who do not have it, and says so', async () => {
      await openFromOutside('#/runs/run-1')
      await page.locator('#token').waitFor()
      await page.keyboard.press('Escape')
      await untilStatus('refused')
      assert.match(await page.locator('.wait').innerText(), /those who have the token/)
      assert.equal(await page.locator('.tile').count(), 0)
    })
  })

  describe('two runs', () => {
    it('are chosen in the list and compared, the older one first', async () => {
      const older = began('run-1', { series: 3, seed: 1 }, 20)
      source.say('run-1', older.finished())
      const newer = began('run-2', { series: 4, seed: 2 }, 8)
      await open('#/runs')
      await page.getByRole('checkbox').nth(1).waitFor()
      for (const row of ['run-2', 'run-1']) await page.locator(`tr[data-key=${row}] [role=checkbox]`).click()
      await page.getByRole('button', { name: 'Compare these two' }).click()
      await page.waitForURL((url) => url.hash === '#/compare?before=run-1&after=run-2')
      const line = (name: string) => page.locator('.compare-content tr', { hasText: name }).first()
      await line('Service p95').waitFor()
      const cells = await page.locator('tr[data-key=hits] td').allInnerTexts()
      assert.deepEqual([hitsOf(cells[1]!), hitsOf(cells[2]!)], [countedHits(older), countedHits(newer)])
      assert.equal(cells[3], `×${(countedHits(newer) / countedHits(older)).toFixed(2)}`)
      const added = await page.locator('.compare-content tr', { hasText: '/path/3' }).innerText()
      assert.match(added, /new/)
      assert.equal(await page.locator('.compare-content canvas').count(), 4)

      // The one that goes on stays up to date.
      source.say('run-2', newer.second())
      await page.waitForFunction(
        (wanted) =>
          document.querySelector('tr[data-key=hits] td:nth-child(3)')?.textContent?.replaceAll(',', '') ===
          wanted,
        String(countedHits(newer)),
      )
    })
  })

  describe('around', () => {
    it('keeps the theme that was chosen', async () => {
      await open('#/runs')
      const theme = () => page.evaluate(() => document.documentElement.dataset['theme'] ?? 'system')
      assert.equal(await theme(), 'system')
      await page.getByRole('button', { name: 'Theme: auto' }).click()
      assert.equal(await theme(), 'light')
      await page.keyboard.press('t')
      assert.equal(await theme(), 'dark')
      await page.reload()
      await page.getByRole('button', { name: 'Theme: dark' }).waitFor()
      assert.equal(await theme(), 'dark')
    })

    it('runs nothing that hostile names, notes and errors hold', async () => {
      const run = began('run-1', { names: hostileNames.slice(0, 12), series: 12 })
      const [first] = hostileNames
      source.say('run-1', {
        type: 'note',
        text: '<img src=x onerror="globalThis.pwned=true">',
        tags: {},
        at: Date.now(),
        elapsedMs: 3_000,
        source: first!,
      })
      hostileNames.forEach((name, index) =>
        source.see(
          runRow(`${index}${name}`.slice(0, 100), {
            names: [name],
            project: name,
            user: name,
            labels: { [name]: name },
            state: 'done',
            endedAt: 5_000,
            note: '',
          } as object),
        ),
      )
      await open('#/runs')
      await page.locator('tr[data-key]', { hasText: '<script>alert(1)</script>' }).first().waitFor()
      await page.locator('#search').fill('<script>')
      await page.locator('tr[data-key]').first().waitFor()
      await page.goto(`${server.url}#/runs/run-1`)
      await untilHits(countedHits(run))
      await page.locator('.changes', { hasText: '<img src=x' }).waitFor()
      await page.goto(`${server.url}#/compare?before=run-1&after=run-1`)
      await page.locator('.compare-content canvas').first().waitFor()
      await page.goto(`${server.url}#/runs/${encodeURIComponent(hostileNames[1]!)}`)
      await untilStatus('refused')
      assert.equal(await page.evaluate(() => 'pwned' in globalThis), false)
      assert.equal(await page.locator('img, script:not(body > script), iframe, object').count(), 0)
    })

    it('fits on a phone: nothing is wider than the screen', async () => {
      began('run-1', { series: 20 })
      const viewport = { width: 390, height: 844 }
      await open('#/runs', { viewport })
      for (const [hash, ready] of [
        ['#/runs', 'tr[data-key]'],
        ['#/runs/run-1', '.tile'],
        ['#/compare?before=run-1&after=run-1', '.compare-content canvas'],
      ] as const) {
        await page.goto(`${server.url}${hash}`)
        await page.locator(ready).first().waitFor()
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= viewport.width, hash)
      }
      await page.goto(`${server.url}#/runs/run-1`)
      await page.getByRole('button', { name: 'Controls' }).click()
      await page.getByRole('button', { name: 'Stop' }).waitFor()
    })
  })
})
