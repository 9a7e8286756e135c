import { element, type Child } from '../view/dom.ts'

export interface DialogOptions {
  title: string
  content: Child[]
  /** From left to right. The first is what Enter in a field means. */
  buttons: { text: string; value: string; kind?: 'danger' | 'quiet' }[]
  /** Checked before the first button closes it. */
  isValid?: () => boolean
}

/** Asks, and answers with the value of the button, or null where it was closed. Only one is open at a time. */
export function ask({
  title,
  content,
  buttons,
  isValid = () => true,
}: DialogOptions): Promise<string | null> {
  const before = document.activeElement
  const first = buttons[0]!.value
  const heading = element('h2', { id: 'dialog-title' }, title)
  const made = buttons.map(({ text, value, kind }) =>
    element(
      'button',
      { type: value === first ? 'submit' : 'button', class: kind, value, onclick: () => close(value) },
      text,
    ),
  )
  const dialog = element(
    'dialog',
    { class: 'ask', 'aria-labelledby': 'dialog-title' },
    element(
      'form',
      {
        onsubmit: (event: Event) => {
          event.preventDefault()
          close(first)
        },
      },
      heading,
      ...content,
      element('div', { class: 'buttons' }, ...made),
    ),
  )
  const close = (value: string) => {
    if (value !== first || isValid()) dialog.close(value)
  }
  document.body.append(dialog)
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
      resolve(dialog.returnValue === '' ? null : dialog.returnValue)
    })
  })
}
