import { editDistance } from '@loads-runner/metrics'

/** The candidates most like a misspelt name, best first. Case is folded. */
export function nearestNames(wanted: string, candidates: readonly string[], most = 3): string[] {
  const limit = Math.max(3, Math.ceil(wanted.length / 2))
  return candidates
    .map((name) => ({ name, distance: editDistance(wanted.toLowerCase(), name.toLowerCase()) }))
    .filter((each) => each.distance <= limit || each.name.toLowerCase().includes(wanted.toLowerCase()))
    .sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, most)
    .map((each) => each.name)
}
