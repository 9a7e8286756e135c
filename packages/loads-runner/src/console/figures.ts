/** How figures look in a terminal. Pure; plain ASCII; the same in every locale. */

/** `1,234,567` */
export function formatCount(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

/** `0.5`, `12.3`, `1,234`: as many digits as mean something. */
export function formatRate(perSecond: number): string {
  if (perSecond >= 100) return formatCount(perSecond)
  return perSecond.toFixed(perSecond >= 10 ? 1 : 2).replace(/\.?0+$/, '')
}

/** Milliseconds as `12us`, `1.5ms`, `120ms`, `3.2s`, `2m05s`; `-` when unknown. */
export function formatMillis(millis: number | null): string {
  if (millis === null) return '-'
  if (millis < 1) return `${Math.round(millis * 1000)}us`
  if (millis < 10) return `${millis.toFixed(1)}ms`
  if (millis < 1000) return `${Math.round(millis)}ms`
  if (millis < 100_000) return `${(millis / 1000).toFixed(millis < 10_000 ? 2 : 1)}s`
  const seconds = Math.round(millis / 1000)
  return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`
}

/** `512 B`, `1.5 kB`, `20 MB`: powers of 1000. */
export function formatBytes(bytes: number): string {
  let value = bytes
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (value < 1000) return `${unit === 'B' || value >= 10 ? Math.round(value) : value.toFixed(1)} ${unit}`
    value /= 1000
  }
  return `${value < 10 ? value.toFixed(1) : formatCount(value)} TB`
}

/** `1 agent`, `5 agents`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}
