import { chromium } from 'playwright-core'
import { SampleServer, sampleRun } from './sample-server.ts'
const now = Date.now()
const past = (n: number, verdict: string, extra: object = {}) =>
  sampleRun(
    `2026-11-${20 - n}--${n}`,
    { seconds: 120 + n * 20, series: 30, ended: true },
    {
      verdict,
      state: verdict === 'aborted' ? 'aborted' : 'done',
      submittedAt: now - n * 36e5,
      startedAt: now - n * 36e5 + 3000,
      endedAt: now - n * 36e5 + 3000 + 300e3,
      ...extra,
    },
  )
const live = sampleRun(
  '2026-11-21--1',
  { seconds: 300, series: 200 },
  { submittedAt: now - 303e3, startedAt: now - 300e3 },
)
live.model.head.startedAt = now - 300e3
live.model.head.scenarios = live.model.head.scenarios.map((s, i) =>
  i === 0 ? { ...s, controls: 'users', target: 40 } : s,
)
live.model.marks.push(
  { kind: 'control', atMs: 120e3, label: 'set to 40 users', source: 'ada@lab-7' },
  { kind: 'note', atMs: 201e3, label: 'deployed 1.4.2', source: 'ben@desk' },
)
const runs = [
  live,
  past(1, 'passed'),
  past(2, 'failed', { errorRate: 0.031, labels: { commit: 'ab12f9', branch: 'main' } }),
  past(3, 'generator-limited', {
    project: 'search',
    names: ['search.TestQueries.test_suggest', 'search.TestQueries.test_facets'],
  }),
  past(4, 'aborted'),
  past(5, 'incomplete'),
  past(6, 'passed', { names: ['<img src=x onerror=alert(1)>'], project: '<b>x</b>' }),
]
const server = await SampleServer.start(runs)
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--disable-background-networking',
    '--disable-sync',
  ],
})
const timer = setInterval(() => server.tick('2026-11-21--1'), 1000)
const only = process.argv[2]?.split(',')
for (const [size, width, height] of [
  ['wide', 1440, 1000],
  ['phone', 390, 844],
] as const)
  for (const scheme of ['light', 'dark'] as const) {
    const name = (what: string) => `/tmp/live-shots/${what}-${size}-${scheme}.png`
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme })
    page.on('pageerror', (e) => console.log('PAGE', e))
    page.on('console', (m) => m.type() === 'error' && console.log('CON', m.text()))
    const go = async (hash: string, ready: string) => {
      await page.goto(`${server.url}${hash}`)
      await page.waitForSelector(ready)
      await page.waitForTimeout(1500)
    }
    const want = (what: string) => only === undefined || only.includes(what)
    if (want('list')) {
      await go('#/runs', 'tr[data-key]')
      await page.screenshot({ path: name('list') })
    }
    if (want('run')) {
      await go('#/runs/2026-11-21--1', '.tile')
      await page.screenshot({ path: name('run') })
    }
    if (want('dialog')) {
      await go('#/runs/2026-11-21--1', '.tile')
      await page.click('.danger')
      await page.waitForTimeout(300)
      await page.screenshot({ path: name('stop') })
      await page.click('dialog .danger')
      await page.waitForSelector('#token')
      await page.waitForTimeout(300)
      await page.screenshot({ path: name('token') })
    }
    if (want('compare')) {
      await go('#/compare?before=2026-11-18--2&after=2026-11-21--1', '.compare-content:not([hidden])')
      await page.screenshot({ path: name('compare'), fullPage: size === 'wide' })
    }
    if (want('keys')) {
      await go('#/runs', 'tr[data-key]')
      await page.keyboard.press('?')
      await page.waitForTimeout(300)
      await page.screenshot({ path: name('keys') })
    }
    await page.close()
  }
clearInterval(timer)
await browser.close()
await server.close()
