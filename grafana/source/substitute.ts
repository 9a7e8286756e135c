/**
 * What Grafana puts in place of its macros and variables, as far as our queries use them. With it every query runs
 * without Grafana; the table in grafana/README.md says the same in words.
 */
export interface Substitution {
  /** The time that is shown, in milliseconds since the epoch. */
  fromMs: number
  toMs: number
  /** Of one point on the screen. */
  intervalMs: number
  /** A list is what is chosen of a variable that takes several; `$__all` is all. */
  variables: Readonly<Record<string, string | readonly string[]>>
}

/** Stands for all values of a variable. */
export const all = '$__all'

const name = /\$(\w+)|\$\{(\w+)\}/g

/** An InfluxQL query as Grafana sends it. Throws when it names a variable that is not given. */
export function influxQuery(query: string, substitution: Substitution): string {
  const { fromMs, toMs, intervalMs, variables } = substitution
  const filled = (text: string, inRegex: boolean) =>
    text.replace(name, (whole, plain?: string, braced?: string) => {
      const found = plain ?? braced!
      if (found === 'timeFilter') return `time >= ${fromMs}ms and time <= ${toMs}ms`
      if (found === '__interval') return `${intervalMs}ms`
      if (found === '__interval_ms') return String(intervalMs)
      const value = variables[found]
      if (value === undefined) throw new Error(`the query names ${whole}, which has no value: ${query}`)
      if (isAll(value)) return '.*'
      if (typeof value !== 'string') return `(${value.map(regexText).join('|')})`
      return inRegex ? regexText(value) : value
    })
  // In a regular expression, which begins and ends with a slash, values are escaped; elsewhere they are put in as they are.
  return query
    .split(/(=~ \/.*?\$\/)/)
    .map((part, index) => filled(part, index % 2 === 1))
    .join('')
}

/** A PromQL query as Grafana sends it. */
export function promQuery(query: string, substitution: Substitution): string {
  const { fromMs, toMs, intervalMs, variables } = substitution
  return query.replace(name, (whole, plain?: string, braced?: string) => {
    const found = plain ?? braced!
    if (found === '__rate_interval') return `${Math.max(4 * intervalMs, 4000)}ms`
    if (found === '__interval') return `${intervalMs}ms`
    if (found === '__range') return `${Math.ceil((toMs - fromMs) / 1000)}s`
    const value = variables[found]
    if (value === undefined) throw new Error(`the query names ${whole}, which has no value: ${query}`)
    if (isAll(value)) return '.*'
    // In a string of PromQL a backslash is escaped once more.
    const escaped = (text: string) => regexText(text).replaceAll('\\', '\\\\')
    return typeof value === 'string' ? value : `(${value.map(escaped).join('|')})`
  })
}

function isAll(value: string | readonly string[]): boolean {
  return value === all || (value.length === 1 && value[0] === all)
}

function regexText(value: string): string {
  return value.replace(/[\\^$*+?.()|[\]{}/]/g, '\\$&')
}
