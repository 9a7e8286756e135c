/** How the page makes elements. Names, errors and addresses come from users: text is only ever set as text. */

export type Child = Node | string | null | undefined | false
type Attribute = string | number | boolean | null | undefined | ((event: never) => void)

/**
 * An element with its attributes and children. `onclick: handler` listens; `class`, `aria-label` and others are set as
 * attributes; true is an empty attribute; null, undefined and false leave it out.
 */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag)
  setAttributes(made, attributes)
  append(made, children)
  return made
}

const svgSpace = 'http://www.w3.org/2000/svg'

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const made = document.createElementNS(svgSpace, tag)
  setAttributes(made, attributes)
  append(made, children)
  return made
}

function setAttributes(made: Element, attributes: Readonly<Record<string, Attribute>>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value as EventListener)
    else setAttribute(made, name, value)
  }
}

/** Writes an attribute where it is not so already: writing costs the browser a new layout. */
export function setAttribute(
  target: Element,
  name: string,
  value: string | number | boolean | null | undefined,
): void {
  if (value === null || value === undefined || value === false) {
    if (target.hasAttribute(name)) target.removeAttribute(name)
    return
  }
  const text = value === true ? '' : String(value)
  if (target.getAttribute(name) !== text) target.setAttribute(name, text)
}

function append(made: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue
    made.append(child)
  }
}

/** Writes text where it is not so already. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text
}

/** Shows or hides, without a new layout where nothing changes. */
export function setShown(target: HTMLElement, shown: boolean): void {
  if (target.hidden === shown) target.hidden = !shown
}
