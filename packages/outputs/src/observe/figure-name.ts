/** Longest readable name: of figures with more labels than that says, the end is cut. */
const longestName = 300

/** `http_requests{code="200",method="GET"}`: a figure as people read it, whatever its labels hold. */
export function figureName(name: string, labels: Readonly<Record<string, string>>): string {
  const parts = Object.keys(labels)
    .sort()
    .map((label) => `${label}=${JSON.stringify(labels[label])}`)
  const full = parts.length === 0 ? name : `${name}{${parts.join(',')}}`
  return full.length > longestName ? `${full.slice(0, longestName - 1)}…` : full
}
