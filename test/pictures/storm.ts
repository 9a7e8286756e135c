/**
 * Takes the picture of a load under a schedule of faults that the README shows: `storm.png`, of the report of the example in
 * `examples/chaos`.
 *
 *     node --import tsx test/pictures/storm.ts
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import { startTarget } from '../../examples/target/server.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const chaos = join(root, 'examples', 'chaos')

const directory = await mkdtemp(join(tmpdir(), 'loads-pictures-'))
const target = await startTarget({ httpPort: 0, wsPort: 0 })
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic'],
})
try {
  const file = join(directory, 'proxies.yaml')
  const text = await readFile(join(chaos, 'proxies.yaml'), 'utf8')
  await writeFile(file, text.replace('127.0.0.1:9200', `127.0.0.1:${target.httpPort}`))
  const runner = join(root, 'packages/loads-runner/bin/loads-runner.js')
  const args = [runner, '--test-dir', chaos, '--proxies', file, 'storm.TestStorm', '--project-name', 'shop']
  const run = spawn(process.execPath, args, { cwd: directory, stdio: 'inherit' })
  await once(run, 'close')
  const page = await browser.newPage({ viewport: { width: 1_440, height: 900 }, colorScheme: 'light' })
  await page.goto(pathToFileURL(join(directory, 'results', 'latest', 'report.html')).href)
  await page.locator('canvas').first().waitFor()
  // What moves has come to rest.
  await page.waitForTimeout(400)
  const { y } = (await page.getByText('What happened').first().boundingBox())!
  const clip = { x: 0, y: Math.max(0, y - 24), width: 1_440, height: 612 }
  await page.screenshot({ path: join(root, 'examples', 'storm.png'), fullPage: true, clip })
} finally {
  await browser.close()
  await target.stop()
  await rm(directory, { recursive: true, force: true })
}
