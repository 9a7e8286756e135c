/**
 * The names that look most like a misspelt one, best first, three at most; none when nothing is near.
 *
 * @param limit letters that may be wrong; by default one in four, and at least one
 */
export function nearestNames(
  name: string,
  known: Iterable<string>,
  limit = Math.max(1, Math.floor(name.length / 4)),
): string[] {
  return [...known]
    .map((each) => ({ each, distance: editDistance(name.toLowerCase(), each.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((one, other) => one.distance - other.distance)
    .map(({ each }) => each)
    .slice(0, 3)
}

/** Letters to insert, delete or replace to make one of the other (Levenshtein 1966), two rows at a time. */
export function editDistance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const replaced = above[column - 1]! + (one[row - 1] === other[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1))
    }
    above = current
  }
  return above[other.length]!
}
