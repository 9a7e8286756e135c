import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'

/**
 * A browser for the tests of a file, which closes it. Without Chromium they are skipped, loudly; where CI runs them they
 * fail.
 */
export async function launchChromium(context: Mocha.Context): Promise<Browser> {
  if (!existsSync(executablePath)) {
    const reason = `no Chromium at ${executablePath}: install it, or set CHROMIUM; the page is NOT tested`
    if (process.env.CI !== undefined) throw new Error(reason)
    console.error(reason)
    context.skip()
  }
  return chromium.launch({
    executablePath,
    // Without the network it would look for updates, and say so.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
