/** Colors: custom properties in style.css, light and dark, which canvases read here. */

export type ThemeName = 'light' | 'dark' | 'system'

/** Sets the theme of the page; `system` follows the preference of the browser. */
export function setTheme(name: ThemeName): void {
  if (name === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = name
}

export function currentTheme(): ThemeName {
  const name = document.documentElement.dataset['theme']
  return name === 'light' || name === 'dark' ? name : 'system'
}

/** Colors as canvases need them: values of `--<name>`. They are read once until the theme changes. */
export class Theme {
  readonly #known = new Map<string, string>()
  readonly #listeners = new Set<() => void>()
  readonly #media = matchMedia('(prefers-color-scheme: dark)')
  readonly #observer = new MutationObserver(() => this.refresh())
  readonly #onMedia = () => this.refresh()

  constructor() {
    this.#media.addEventListener('change', this.#onMedia)
    this.#observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
  }

  color(name: string): string {
    let color = this.#known.get(name)
    if (color === undefined) {
      color = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
      this.#known.set(name, color)
    }
    return color
  }

  /** Calls back when colors have changed, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  refresh(): void {
    this.#known.clear()
    for (const listener of this.#listeners) listener()
  }

  destroy(): void {
    this.#media.removeEventListener('change', this.#onMedia)
    this.#observer.disconnect()
    this.#listeners.clear()
  }
}
