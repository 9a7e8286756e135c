import assert from 'node:assert/strict'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { DashboardServer } from '../../../src/dashboard-server.ts'
import type { PastRuns } from '../../../src/run-source.ts'
import { ScriptedRun, type ScriptOptions } from '../../support/scripted-run.ts'
import { runRow, ScriptedSource } from '../../support/scripted-source.ts'
import { openBrowser, openPage } from './browser.ts'

export const token = 'a-token-of-the-tests-0123456789'

/** A figure as the page writes it. */
export const numberOf = (text: string | null | undefined) => Number((text ?? '').replaceAll(',', ''))

export const countedHits = (run: ScriptedRun) => run.summary().hits.count

/** A browser, a server of scripted runs and a page of it, made anew for each test of a suite. */
export class Stage {
  source = new ScriptedSource()
  /** What a comparison of two stored runs says; null: one of them is not stored. */
  comparison: Awaited<ReturnType<PastRuns['compare']>> = null
  #browser: Browser | null = null
  #server: DashboardServer | null = null
  #page: Page | null = null
  #troubles: string[] = []

  /** To be called in a suite. */
  constructor() {
    const open = async (context: Mocha.Context) => {
      this.#browser = await openBrowser(context)
    }
    before(async function () {
      await open(this)
    })
    after(async () => this.#browser?.close())
    beforeEach(async () => {
      this.source = new ScriptedSource()
      this.comparison = null
      await this.serve()
    })
    afterEach(async () => {
      await this.#page?.context().close()
      this.#page = null
      await this.#server!.close()
      assert.deepEqual(this.#troubles.splice(0), [])
    })
  }

  get server(): DashboardServer {
    return this.#server!
  }

  get page(): Page {
    return this.#page!
  }

  /** In place of the server before. */
  async serve(port = 0, host = '127.0.0.1'): Promise<void> {
    await this.#server?.close()
    const { source } = this
    const past: PastRuns = {
      list: async () => [],
      events: async () => null,
      compare: async () => this.comparison,
    }
    const options = { host, port, source, past, token, hostNames: [], version: '1' }
    this.#server = await DashboardServer.start(options)
  }

  /** A run that goes on, with some seconds of figures. */
  began(runId: string, options: ScriptOptions = {}, seconds = 5): ScriptedRun {
    const run = new ScriptedRun({ runId, startedAt: Date.now() - seconds * 1000, ...options })
    this.source.see(runRow(runId, { submittedAt: run.startedAt - 1000, startedAt: run.startedAt }))
    this.source.say(runId, ...run.begin())
    for (let second = 0; second < seconds; second++) this.source.say(runId, run.second())
    return run
  }

  async open(hash: string, options: BrowserContextOptions = {}): Promise<void> {
    const { page, troubles } = await openPage(this.#browser!, options)
    this.#page = page
    this.#troubles = troubles
    await this.goTo(hash)
  }

  async goTo(hash: string): Promise<void> {
    await this.page.goto(`http://127.0.0.1:${this.server.port}/${hash}`)
  }

  async untilHits(count: number): Promise<void> {
    await this.page.waitForFunction(
      (wanted) => {
        const text = document.querySelector('[data-figure=hits] .value')?.textContent ?? ''
        return Number(text.replaceAll(',', '')) === wanted
      },
      count,
      { polling: 20 },
    )
  }

  async untilStatus(kind: string): Promise<void> {
    await this.page.locator(`.status[data-kind=${kind}]`).waitFor()
  }
}
