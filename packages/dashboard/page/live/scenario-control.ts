import type { ScenarioHead } from '../../src/model.ts'
import { element, setAttribute, setText } from '../view/dom.ts'
import { formatNumber } from '../view/figures.ts'
import { plainLabel } from '../view/labels.ts'

export interface ControlChange {
  target: number | null
  paused: boolean | null
}

/** Users or rate of a scenario whose load is controlled from outside. */
export class ScenarioControl {
  readonly root: HTMLElement
  readonly #field: HTMLInputElement
  readonly #now = element('span', { class: 'now' })
  readonly #pause: HTMLButtonElement
  #target: number | null = null
  #paused = false
  #edited = false

  constructor({ name, controls }: ScenarioHead, change: (change: ControlChange) => Promise<void>) {
    const id = `target-${++fields}`
    const unit = controls === 'rate' ? 'per second' : 'users'
    this.#field = element('input', {
      id,
      type: 'number',
      min: 0,
      step: controls === 'rate' ? 'any' : 1,
      inputmode: 'decimal',
      required: true,
      oninput: () => (this.#edited = true),
      onkeydown: (event: KeyboardEvent) => {
        if (event.key === 'Escape') this.#forget()
      },
    })
    this.#pause = element('button', {
      type: 'button',
      onclick: () => void change({ target: null, paused: !this.#paused }),
    })
    this.root = element(
      'form',
      {
        class: 'scenario-control',
        onsubmit: (event: Event) => {
          event.preventDefault()
          const target = this.#field.valueAsNumber
          void change({ target, paused: null }).then(() => this.#forget())
        },
      },
      element('label', { for: id }, name === '' ? unit : `${plainLabel(name, 40)}: ${unit}`),
      this.#field,
      element('button', { type: 'submit' }, 'Set'),
      this.#pause,
      this.#now,
    )
  }

  update({ target, paused }: ScenarioHead): void {
    this.#target = target
    this.#paused = paused
    setText(this.#pause, paused ? 'Resume' : 'Pause')
    setText(this.#now, paused ? 'paused' : '')
    setAttribute(this.root, 'data-paused', paused)
    // What somebody is writing stays.
    if (!this.#edited) this.#show()
  }

  #forget(): void {
    this.#edited = false
    this.#show()
  }

  #show(): void {
    const value = this.#target === null ? '' : String(this.#target)
    if (this.#field.value !== value) this.#field.value = value
    setAttribute(this.#field, 'title', `now: ${formatNumber(this.#target)}`)
  }
}

let fields = 0
