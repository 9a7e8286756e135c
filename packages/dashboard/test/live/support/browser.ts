import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { launchChromium } from '../../support/chromium.ts'

/** The page as it is now, in its bundle. */
async function bundlePage(): Promise<void> {
  await promisify(execFile)(process.execPath, [
    fileURLToPath(new URL('../../../bundle-page.js', import.meta.url)),
  ])
}

/** A browser, and the page as it is now. */
export async function openBrowser(context: Mocha.Context): Promise<Browser> {
  const browser = await launchChromium(context)
  await bundlePage()
  return browser
}

/** A page that remembers what went wrong in it. */
export async function openPage(
  browser: Browser,
  options: Parameters<Browser['newPage']>[0] = {},
): Promise<{ page: Page; troubles: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 }, ...options })
  page.setDefaultTimeout(60_000)
  const troubles: string[] = []
  page.on('pageerror', (error) => troubles.push(String(error)))
  page.on('console', (message) => {
    // A server that is away is told of by the browser, too.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      troubles.push(message.text())
  })
  return { page, troubles }
}
