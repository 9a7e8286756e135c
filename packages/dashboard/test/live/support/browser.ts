import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chromium, type Browser, type Page } from 'playwright-core'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** The page as it is now, in its bundle. */
async function bundlePage(): Promise<void> {
  await promisify(execFile)(process.execPath, [
    fileURLToPath(new URL('../../../bundle-page.js', import.meta.url)),
  ])
}

/** A browser; without Chromium on this machine the tests are skipped, loudly, and fail where CI runs them. */
export async function openBrowser(context: Mocha.Context): Promise<Browser> {
  if (!existsSync(executablePath)) {
    const reason = `no Chromium at ${executablePath}: install it, or set CHROMIUM; the live page is NOT tested`
    if (process.env.CI !== undefined) throw new Error(reason)
    console.error(reason)
    context.skip()
  }
  await bundlePage()
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-sync',
    ],
  })
}

/** A page that remembers what went wrong in it. */
export async function openPage(
  browser: Browser,
  options: Parameters<Browser['newPage']>[0] = {},
): Promise<{ page: Page; troubles: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 }, ...options })
  page.setDefaultTimeout(20_000)
  const troubles: string[] = []
  page.on('pageerror', (error) => troubles.push(String(error)))
  page.on('console', (message) => {
    // A server that is away is told of by the browser, too.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      troubles.push(message.text())
  })
  return { page, troubles }
}
