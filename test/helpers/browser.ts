import type { Browser, BrowserContextOptions, Page, Request } from 'playwright-core'
import { cleanUpAfterTest } from './temporary.ts'

export { launchChromium as openBrowser } from '../../packages/dashboard/test/support/chromium.ts'

/** A page, and what happened in it. */
export interface Watched {
  page: Page
  /** Errors of its scripts, dialogs that were opened, and what its policy has refused. */
  troubles: string[]
  requests: Request[]
}

/** A tab in a profile of its own; closed after the test. */
export async function openTab(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 }, ...options })
  cleanUpAfterTest(() => page.context().close())
  page.setDefaultTimeout(30_000)
  // Functions that are handed to the browser call it: the compiler of tests keeps their names with it.
  await page.addInitScript('globalThis.__name = (made) => made')
  const watched: Watched = { page, troubles: [], requests: [] }
  page.on('request', (request) => watched.requests.push(request))
  page.on('pageerror', (error) => watched.troubles.push(String(error)))
  page.on('dialog', (dialog) => {
    watched.troubles.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', (message) => {
    // The browser tells of every answer that is a refusal, too, and of servers that are away.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      watched.troubles.push(message.text())
  })
  return watched
}
