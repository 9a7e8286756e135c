import { plainLabel } from '../view/labels.ts'
import { element } from '../view/dom.ts'
import { renderRun, type RunPane } from '../view/run-pane.ts'
import type { RunModel, RunUpdate } from '../../src/model.ts'
import { statusOf } from './connection-status.ts'
import { LiveRun } from './live-run.ts'
import type { Page, PageFrame } from './page.ts'
import { RunControls } from './run-controls.ts'

const tickMs = 1_000

/** One run: how fresh it is, what can be changed, and all of its figures. */
export class RunPage implements Page {
  readonly root: HTMLElement
  readonly #frame: PageFrame
  readonly #run: LiveRun
  readonly #controls: RunControls
  readonly #place = element('div', { class: 'pane' })
  readonly #wait = element('p', { class: 'wait' }, 'Waiting for the run …')
  readonly #tick: ReturnType<typeof setInterval>
  #pane: RunPane | null = null
  #paneIsLive = false
  #said = ''

  constructor(frame: PageFrame, runId: string) {
    this.#frame = frame
    this.#controls = new RunControls(frame.api, runId)
    this.root = element('div', { class: 'run-page' }, this.#controls.root, this.#wait, this.#place)
    frame.setTitle(plainLabel(runId, 60))
    this.#run = new LiveRun(frame.api, runId, {
      begin: (model) => this.#begin(model),
      change: (model, update) => this.#change(model, update),
      state: () => this.#showStatus(),
    })
    this.#tick = setInterval(() => this.#showStatus(), tickMs)
    this.#showStatus()
  }

  destroy(): void {
    clearInterval(this.#tick)
    this.#run.close()
    this.#pane?.destroy()
    this.#frame.setStatus(null)
  }

  #begin(model: RunModel): void {
    this.#pane?.destroy()
    this.#paneIsLive = !this.#run.ended
    this.#pane = renderRun(this.#place, model, { live: this.#paneIsLive })
    this.#wait.remove()
    this.#around(model)
  }

  #change(model: RunModel, update: RunUpdate): void {
    this.#pane?.update(model, update)
    this.#around(model)
  }

  #around(model: RunModel): void {
    this.#frame.setTitle(plainLabel(model.head.names.join(', '), 60) || plainLabel(model.head.runId, 60))
    this.#controls.update(model)
    this.#showStatus()
  }

  #showStatus(): void {
    const { connection, ended, model, newsAt } = this.#run
    const state = model?.head.state ?? null
    const status = statusOf({ connection, ended, state, newsAt, now: Date.now() })
    this.#frame.setStatus(status)
    if (model === null && status.kind === 'refused') this.#wait.textContent = status.text
    if (status.said === this.#said) return
    this.#said = status.said
    if (status.kind !== 'connecting') this.#frame.announce(status.said)
  }
}
