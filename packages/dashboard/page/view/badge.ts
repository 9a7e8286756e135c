import { element, setAttribute, setText } from './dom.ts'
import type { Standing } from './standing.ts'

/** A word with a symbol and a color. */
export function badge(standing: Standing): HTMLElement {
  const made = element('span', { class: 'badge' }, element('i', { 'aria-hidden': 'true' }), element('span'))
  setBadge(made, standing)
  return made
}

export function setBadge(target: HTMLElement, { word, symbol, tone }: Standing): void {
  setAttribute(target, 'data-tone', tone)
  setText(target.firstElementChild!, symbol)
  setText(target.lastElementChild!, word)
}

/** Draws a badge into a cell, over the one before. */
export function drawBadge(cell: HTMLElement, standing: Standing): void {
  const before = cell.firstElementChild
  if (before === null) cell.append(badge(standing))
  else setBadge(before as HTMLElement, standing)
}

/** Draws a bar for a share of 0 to 1 with its text into a cell. */
export function drawShare(cell: HTMLElement, share: number, text: string): void {
  let bar = cell.querySelector<HTMLElement>('.bar > i')
  if (bar === null) {
    bar = element('i')
    cell.append(
      element('span', { class: 'bar', 'aria-hidden': 'true' }, bar),
      element('span', { class: 'bar-text' }),
    )
  }
  bar.style.width = `${Math.min(100, Math.max(0, share * 100)).toFixed(1)}%`
  setText(cell.lastElementChild!, text)
}
