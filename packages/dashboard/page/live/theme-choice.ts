import { element, setText } from '../view/dom.ts'
import { currentTheme, setTheme, type ThemeName } from '../view/theme.ts'

const key = 'loads-theme'
const names: readonly ThemeName[] = ['system', 'light', 'dark']
const looks: Readonly<Record<ThemeName, { symbol: string; word: string }>> = {
  system: { symbol: '◐', word: 'auto' },
  light: { symbol: '○', word: 'light' },
  dark: { symbol: '●', word: 'dark' },
}

/** As it was chosen last in this browser. */
export function restoreTheme(): void {
  try {
    const kept = localStorage.getItem(key)
    if (kept === 'light' || kept === 'dark') setTheme(kept)
  } catch {
    // Storage is switched off: the preference of the browser it is.
  }
}

/** Auto, light, dark, and round again. */
export function themeButton(): HTMLButtonElement {
  const sign = element('i', { 'aria-hidden': 'true' })
  const name = element('span')
  const button = element(
    'button',
    { type: 'button', class: 'quiet theme', onclick: () => next() },
    sign,
    name,
  )
  const show = () => {
    const { symbol, word } = looks[currentTheme()]
    setText(sign, symbol)
    setText(name, word)
    button.setAttribute('aria-label', `Theme: ${word}`)
  }
  const next = () => {
    const chosen = names[(names.indexOf(currentTheme()) + 1) % names.length]!
    setTheme(chosen)
    try {
      localStorage.setItem(key, chosen)
    } catch {
      // It holds for this page.
    }
    show()
  }
  show()
  return button
}
