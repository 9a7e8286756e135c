import { element, setText } from '../view/dom.ts'
import { currentTheme, setTheme, type ThemeName } from '../view/theme.ts'

const key = 'loads-theme'
const names: readonly ThemeName[] = ['system', 'light', 'dark']
const words: Readonly<Record<ThemeName, string>> = { system: '◐ auto', light: '☀ light', dark: '☾ dark' }

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
  const button = element('button', { type: 'button', class: 'quiet theme', onclick: () => next() })
  const show = () => {
    setText(button, words[currentTheme()])
    button.setAttribute('aria-label', `Theme: ${words[currentTheme()].slice(2)}`)
  }
  const next = () => {
    const name = names[(names.indexOf(currentTheme()) + 1) % names.length]!
    setTheme(name)
    try {
      localStorage.setItem(key, name)
    } catch {
      // It holds for this page.
    }
    show()
  }
  show()
  return button
}
