/** Labels of bands and marks: where they fit. Pure. */

export interface LabelWish {
  /** Left end, in pixels. */
  x: number
  width: number
  /** Those with more come first. */
  weight: number
}

/**
 * The lane of each label, such that no two in a lane overlap; null for those that find no room. The most important are
 * placed first, then the leftmost.
 */
export function placeLabels(wishes: readonly LabelWish[], lanes: number, gap: number): (number | null)[] {
  const placed: { from: number; to: number }[][] = Array.from({ length: lanes }, () => [])
  const result: (number | null)[] = wishes.map(() => null)
  const order = wishes
    .map((_, index) => index)
    .sort((one, other) => wishes[other]!.weight - wishes[one]!.weight || wishes[one]!.x - wishes[other]!.x)
  for (const index of order) {
    const { x, width } = wishes[index]!
    const lane = placed.findIndex((taken) =>
      taken.every(({ from, to }) => x >= to + gap || x + width + gap <= from),
    )
    if (lane < 0) continue
    placed[lane]!.push({ from: x, to: x + width })
    result[index] = lane
  }
  return result
}

/** One line without what moves or hides text, and no longer than `most` characters. */
export function plainLabel(text: string, most: number): string {
  const head = text.slice(0, most * 4)
  const line = head
    // Controls, and marks that turn the direction of what follows.
    .replaceAll(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  const letters = Array.from(line)
  if (letters.length <= most && head.length === text.length) return line
  return `${letters
    .slice(0, most - 1)
    .join('')
    .trimEnd()}…`
}

/** The longest beginning of a text that is no wider than `room`, with an ellipsis; '' when nothing of use fits. */
export function fitText(text: string, room: number, widthOf: (text: string) => number): string {
  if (widthOf(text) <= room) return text
  const letters = Array.from(text)
  let low = 0
  let high = letters.length
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (widthOf(`${letters.slice(0, middle).join('')}…`) <= room) low = middle
    else high = middle - 1
  }
  return low < 3 ? '' : `${letters.slice(0, low).join('').trimEnd()}…`
}
