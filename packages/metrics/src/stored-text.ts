/** Longest name, test label or tag that a series keeps; a longer one is cut. */
export const longestWord = 300

/**
 * Text as a series keeps it: cut, well-formed Unicode (it must survive UTF-8), and a copy of its own, because a slice
 * would keep the whole of a possibly huge string alive.
 */
export function storedText(text: string, longest = longestWord): string {
  return Buffer.from(text.length > longest ? text.slice(0, longest) : text, 'utf8').toString('utf8')
}
