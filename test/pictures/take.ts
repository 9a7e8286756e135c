/**
 * Takes the pictures of the page and of the report that the README shows, of a real run of a minute: a ramp, a search
 * that is slow for a while, and orders that fail for a while.
 *
 *     node --import tsx test/pictures/take.ts
 */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import type { RunListRow } from '@loads-runner/dashboard'
import type { Page } from 'playwright-core'
import { shopper, Store } from './store.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const examples = join(root, 'examples')
/** README shows them scaled down: this is as sharp as it needs to be. */
const mostBytes = 400_000

const load = [
  '--agents',
  '3',
  '--workers',
  '1',
  '--rate',
  '15/s',
  '--stages',
  '15s:45,30s:45,10s:60,5s:15',
  '--users',
  '60',
]
const facts = [
  '--project-name',
  'shop',
  '--user-id',
  'ada',
  '--label',
  'release=1.4.2',
  '--label',
  'region=eu',
]
const thresholds = [
  'hit_duration: p(95)<250',
  'hit_duration{name:/products/:id}: p(99)<60',
  'hit_failed: rate<0.01',
].flatMap((expression) => ['--threshold', expression])

const store = new Store()
const directory = await mkdtemp(join(tmpdir(), 'loads-pictures-'))
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic'],
})
try {
  await take()
} finally {
  await browser.close()
  store.close()
  await rm(directory, { recursive: true, force: true })
}

async function take(): Promise<void> {
  const url = await store.open()
  await writeFile(join(directory, 'shop.ts'), shopper)
  await mkdir(join(directory, 'node_modules'))
  await symlink(join(root, 'packages/loads-runner'), join(directory, 'node_modules/loads-runner'))
  const run = startRun(url)
  const { address, token } = await run.shown
  // Drawing takes the processor from those who make load: the page is opened for its picture only.
  const runId = await running(address)
  const say = async (annotation: object) => {
    const answer = await fetch(`${address}api/runs/${runId}/annotate`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify(annotation),
    })
    if (!answer.ok) throw new Error(await answer.text())
  }
  const fault = (id: string, name: string, state: 'begins' | 'ends') =>
    say({ type: 'fault', id, name, state, detail: '' })

  const began = performance.now()
  const at = (seconds: number) => wait(Math.max(0, began + seconds * 1000 - performance.now()))
  await at(14)
  await say({ type: 'note', text: 'deployed 1.4.2', tags: {} })
  await at(20)
  await fault('index', 'search index is rebuilt', 'begins')
  store.slowness = 6
  await at(31)
  store.slowness = 1
  await fault('index', 'search index is rebuilt', 'ends')
  await at(38)
  await fault('payments', 'payments out of reach', 'begins')
  store.failing = 0.5
  await at(46)
  store.failing = 0
  await fault('payments', 'payments out of reach', 'ends')
  await at(49)
  const page = await open(address, 'light', 1_560)
  await page.goto(`${address}#token=${token}`)
  await page.locator('.status[data-kind=live]').waitFor()
  await page.locator('canvas').first().waitFor()
  await shoot(page, 'page.png')
  const results = await run.ended
  const report = await open(address, 'dark', 1_560)
  await report.goto(pathToFileURL(join(results, 'report.html')).href)
  await report.locator('canvas').first().waitFor()
  await shoot(report, 'report.png')
}

/** The id of the run, as soon as it makes load. */
async function running(address: string): Promise<string> {
  for (;;) {
    const rows = (await (await fetch(`${address}api/runs`)).json()) as RunListRow[]
    const run = rows.find(({ state }) => state === 'running')
    if (run !== undefined) return run.runId
    await wait(100)
  }
}

function startRun(url: string) {
  const args = ['shop', '--server-url', url, ...load, ...facts, ...thresholds]
  const more = [
    '--observe',
    `prometheus:${url}/metrics?every=1s`,
    '--dashboard',
    '--dashboard-bind',
    '127.0.0.1:0',
  ]
  const child = spawn(
    process.execPath,
    [join(root, 'packages/loads-runner/bin/loads-runner.js'), ...args, ...more],
    { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  const shown = new Promise<{ address: string; token: string }>((resolve, reject) => {
    const look = (text: string) => {
      output += text
      const [, address, token] = /the run is shown at (\S+)#token=(\S+)/.exec(output) ?? []
      if (address !== undefined && token !== undefined) resolve({ address, token })
    }
    child.stdout.setEncoding('utf8').on('data', look)
    child.stderr.setEncoding('utf8').on('data', look)
    child.once('close', () => reject(new Error(`the run has ended before it was shown: ${output}`)))
  })
  const ended = new Promise<string>((resolve) => {
    child.once('close', () => {
      process.stdout.write(output)
      resolve(join(directory, 'results', 'latest'))
    })
  })
  return { shown, ended }
}

async function open(address: string, colorScheme: 'light' | 'dark', height: number): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1_440, height }, colorScheme })
  page.on('pageerror', (error) => console.error(address, error))
  return page
}

async function shoot(page: Page, name: string): Promise<void> {
  // What moves has come to rest.
  await page.waitForTimeout(400)
  const path = join(examples, name)
  await page.screenshot({ path })
  const { size } = await stat(path)
  console.log(`${name}: ${Math.round(size / 1000)} kB${size > mostBytes ? ', which is too much' : ''}`)
}
