const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** `500ms 15s 5m 1h`, a bare number is seconds; in milliseconds. Null for anything else, and beyond a day. */
export function parseSpan(text: string): number | null {
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim())
  if (parts === null) return null
  const spanMs = Number(parts[1]) * units[parts[2] ?? 's']!
  return spanMs <= 86_400_000 ? spanMs : null
}
