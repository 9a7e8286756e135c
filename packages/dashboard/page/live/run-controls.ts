import type { Mark, RunHead, RunModel, ScenarioHead } from '../../src/model.ts'
import { element, setAttribute, setShown, setText } from '../view/dom.ts'
import { formatClock, formatElapsed } from '../view/figures.ts'
import { plainLabel } from '../view/labels.ts'
import { ApiError, messageOf, type ApiClient } from './api-client.ts'
import { isOver } from './live-run.ts'
import { ScenarioControl } from './scenario-control.ts'
import { confirmStop, nextStop, type StopMode } from './stop-steps.ts'

const mostChanges = 4
const changing: ReadonlySet<Mark['kind']> = new Set(['control', 'note'])

/** What a reader with the token can change of a run, and who has changed what. */
export class RunControls {
  readonly root: HTMLElement
  readonly #api: ApiClient
  readonly #path: string
  readonly #scenarios = element('div', { class: 'scenario-controls' })
  readonly #stop: HTMLButtonElement
  readonly #note: HTMLInputElement
  readonly #answer = element('p', { class: 'answer', role: 'status' })
  readonly #changes = element('ol', { class: 'changes', 'aria-label': 'Latest changes' })
  readonly #live: HTMLElement
  /** On narrow screens only. */
  readonly #unfold: HTMLButtonElement
  #controls = new Map<string, ScenarioControl>()
  #asked: StopMode | null = null
  #next: StopMode = 'drain'
  #shownMarks = ''

  constructor(api: ApiClient, runId: string) {
    this.#api = api
    this.#path = `/api/runs/${encodeURIComponent(runId)}`
    this.#stop = element(
      'button',
      { type: 'button', class: 'danger', onclick: () => void this.#askStop() },
      'Stop',
    )
    this.#note = element('input', {
      id: 'note',
      type: 'text',
      maxlength: 2000,
      placeholder: 'what is happening',
      autocomplete: 'off',
    })
    const form = element(
      'form',
      {
        class: 'note-form',
        onsubmit: (event: Event) => {
          event.preventDefault()
          void this.#annotate()
        },
      },
      element('label', { for: 'note' }, 'Note'),
      this.#note,
      element('button', { type: 'submit' }, 'Add'),
    )
    this.#live = element('div', { class: 'live-controls', hidden: true }, this.#scenarios, form, this.#stop)
    this.#unfold = element(
      'button',
      {
        type: 'button',
        class: 'unfold',
        'aria-expanded': 'false',
        onclick: () => this.#setOpen(!this.root.hasAttribute('data-open')),
      },
      'Controls',
    )
    this.root = element(
      'section',
      { class: 'controls', 'aria-label': 'Controls' },
      this.#unfold,
      this.#live,
      element('a', { class: 'button report', href: `${this.#path}/report`, download: '' }, '⤓ Report'),
      this.#answer,
      this.#changes,
    )
  }

  update(model: RunModel): void {
    const { head, marks } = model
    const ended = isOver(model)
    setAttribute(this.root, 'data-ended', ended)
    setShown(this.#live, !ended)
    setShown(this.#unfold, !ended)
    this.#drawScenarios(head.scenarios)
    this.#drawStop(head)
    this.#drawMarks(marks, head.startedAt)
  }

  #drawScenarios(scenarios: readonly ScenarioHead[]): void {
    const controlled = scenarios.filter(({ controls }) => controls !== null)
    const names = new Set(controlled.map(({ name }) => name))
    for (const [name, control] of this.#controls) {
      if (names.has(name)) continue
      control.root.remove()
      this.#controls.delete(name)
    }
    for (const scenario of controlled) {
      let control = this.#controls.get(scenario.name)
      if (control === undefined) {
        control = new ScenarioControl(scenario, (change) => this.#change(scenario.name, change))
        this.#controls.set(scenario.name, control)
        this.#scenarios.append(control.root)
      }
      control.update(scenario)
    }
  }

  #setOpen(open: boolean): void {
    setAttribute(this.root, 'data-open', open)
    setAttribute(this.#unfold, 'aria-expanded', String(open))
  }

  #drawStop({ state }: RunHead): void {
    this.#next = nextStop(state, this.#asked)
    const words: Readonly<Record<StopMode, string>> = { drain: 'Stop', cancel: 'Cancel now', kill: 'Kill' }
    setText(this.#stop, words[this.#next])
  }

  #drawMarks(marks: readonly Mark[], startedAt: number | null): void {
    const latest = marks
      .filter(({ kind }) => changing.has(kind))
      .slice(-mostChanges)
      .reverse()
    const shown = JSON.stringify(latest)
    if (shown === this.#shownMarks) return
    this.#shownMarks = shown
    this.#changes.replaceChildren(
      ...latest.map(({ atMs, label, source, kind }) =>
        element(
          'li',
          { 'data-kind': kind },
          element(
            'time',
            { title: startedAt === null ? null : formatClock(startedAt + atMs) },
            formatElapsed(atMs),
          ),
          element('span', { class: 'what' }, plainLabel(label, 120)),
          element('span', { class: 'who' }, plainLabel(source, 60)),
        ),
      ),
    )
    setShown(this.#changes, latest.length > 0)
  }

  async #change(scenario: string, change: { target: number | null; paused: boolean | null }): Promise<void> {
    await this.#carryOut(async () => {
      const { target, paused } = await this.#api.post<{ target: number; paused: boolean }>(
        `${this.#path}/control`,
        {
          scenario,
          ...change,
        },
      )
      return `${scenario === '' ? 'the load' : plainLabel(scenario, 60)} is set to ${target}${paused ? ' and paused' : ''}`
    })
  }

  async #annotate(): Promise<void> {
    const text = this.#note.value.trim()
    if (text === '') {
      this.#note.focus()
      return
    }
    await this.#carryOut(async () => {
      await this.#api.post(`${this.#path}/annotate`, { type: 'note', text, tags: {} })
      this.#note.value = ''
      return 'the note is in the run'
    })
  }

  async #askStop(): Promise<void> {
    const mode = this.#next
    if (!(await confirmStop(mode))) return
    await this.#carryOut(async () => {
      await this.#api.post(`${this.#path}/stop`, { mode })
      this.#asked = mode
      return mode === 'drain' ? 'the run stops: executions finish' : `the run is told to ${mode}`
    })
  }

  /** One change at a time; its answer, or why it was refused, is said. */
  async #carryOut(change: () => Promise<string>): Promise<void> {
    this.#say('', false)
    setAttribute(this.root, 'aria-busy', 'true')
    try {
      this.#say(await change(), false)
    } catch (error) {
      const isChoice = error instanceof ApiError && error.code === 'GIVEN_UP'
      this.#say(messageOf(error), !isChoice)
    } finally {
      setAttribute(this.root, 'aria-busy', null)
    }
  }

  #say(text: string, isTrouble: boolean): void {
    setAttribute(this.#answer, 'data-tone', isTrouble ? 'bad' : 'dim')
    setText(this.#answer, text)
  }
}
