/** How figures look on the page. Pure; the same in every locale. What is unknown is a dash, never a zero. */

export const unknown = '–'

/** `1,234,567` */
export function formatCount(count: number | null): string {
  if (count === null || !Number.isFinite(count)) return unknown
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

/** `0.5`, `12.3`, `1,234`: as many digits as mean something. */
export function formatNumber(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return unknown
  const size = Math.abs(value)
  if (size >= 100) return formatCount(value)
  if (size > 0 && size < 0.01) return String(Number(value.toPrecision(2)))
  return value.toFixed(size >= 10 ? 1 : 2).replace(/\.?0+$/, '')
}

/** `12,345/s` */
export function formatRate(perSecond: number | null): string {
  return perSecond === null ? unknown : `${formatNumber(perSecond)}/s`
}

/** A duration of hits, given in milliseconds: `12 µs`, `1.23 ms`, `120 ms`, `3.20 s`, `2 m 05 s`. */
export function formatMillis(millis: number | null): string {
  if (millis === null || !Number.isFinite(millis)) return unknown
  if (millis === 0) return '0 ms'
  if (millis < 0.9995) return `${threeDigits(millis * 1000)} µs`
  if (millis < 999.5) return `${threeDigits(millis)} ms`
  if (millis < 99_950) return `${threeDigits(millis / 1000)} s`
  const seconds = Math.round(millis / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${twoDigits(seconds % 60)} s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} m`
}

function threeDigits(value: number): string {
  if (value >= 99.95) return String(Math.round(value))
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}

/** A time of the run, given in milliseconds: `0:07`, `12:05`, `1:02:05`. */
export function formatElapsed(millis: number): string {
  const seconds = Math.max(0, Math.floor(millis / 1000))
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  const tail = twoDigits(seconds % 60)
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${tail}` : `${minutes}:${tail}`
}

/** A share of 0 to 1: `0.012 %`, `1.2 %`, `100 %`. Only all is 100 %. */
export function formatShare(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return unknown
  const percent = share * 100
  if (percent < 100 && percent > 99) return `${Math.floor(percent * 100) / 100} %`
  return `${Number(percent.toPrecision(percent < 1 ? 2 : 3))} %`
}

/** `512 B`, `1.5 kB`, `20 MB`: powers of 1000. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null || !Number.isFinite(bytes)) return unknown
  let value = bytes
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (value < 999.5) return `${unit === 'B' || value >= 10 ? Math.round(value) : value.toFixed(1)} ${unit}`
    value /= 1000
  }
  return `${value < 10 ? value.toFixed(1) : formatCount(value)} TB`
}

/** The time of day of a moment given in milliseconds since the epoch, where the reader is: `14:05:09`. */
export function formatClock(at: number): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return unknown
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':')
}

/** `2026-11-21 14:05:09`, where the reader is. */
export function formatDate(at: number): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return unknown
  const day = `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`
  return `${day} ${formatClock(at)}`
}

/** For axes, where room is scarce: `950`, `1.5k`, `20M`. */
export function formatCompact(value: number): string {
  const size = Math.abs(value)
  if (size < 1000) return String(Number(value.toPrecision(3)))
  if (size < 1e6) return `${Number((value / 1e3).toPrecision(3))}k`
  if (size < 1e9) return `${Number((value / 1e6).toPrecision(3))}M`
  return `${Number((value / 1e9).toPrecision(3))}G`
}

/** A duration for axes: `20 µs`, `5 ms`, `1.5 s`. */
export function formatCompactMillis(millis: number): string {
  if (millis === 0) return '0'
  if (millis < 1) return `${Number((millis * 1000).toPrecision(3))} µs`
  if (millis < 1000) return `${Number(millis.toPrecision(3))} ms`
  if (millis < 60_000) return `${Number((millis / 1000).toPrecision(3))} s`
  return `${Number((millis / 60_000).toPrecision(3))} m`
}

/** `1 agent`, `5 agents`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}
