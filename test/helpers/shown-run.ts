import assert from 'node:assert/strict'
import { parseThresholds, describeValue } from '@loads-runner/metrics'
import type { Summary } from '@loads-runner/metrics'
import type { Page } from 'playwright-core'
import { formatCount } from '../../packages/dashboard/page/view/figures.ts'
import { quantileText } from '../../packages/dashboard/page/view/quantiles.ts'

/** The figures of a run, as texts. */
export interface ShownFigures {
  hits: string
  failed: string
  /** Executions that ended as failure or error. */
  errors: string
  executions: string
  p50: string
  p95: string
  p99: string
  /** By name: hits, failed, p50, p95, p99. */
  requests: Record<string, string[]>
  /** Hits by agent. */
  agents: Record<string, string>
  /** By expression: how it stands, and its value. */
  thresholds: Record<string, [string, string]>
  /** By error: how often. */
  groups: Record<string, string>
}

export type Quantile = 'p50' | 'p95' | 'p99'
const quantiles: readonly Quantile[] = ['p50', 'p95', 'p99']

export const tile = (key: string) => `[data-figure=${key}] .value`

/** A count on the page: 12,345 -> 12345. */
export function countOf(text: string): number {
  const count = Number(text.replaceAll(',', ''))
  assert.ok(Number.isInteger(count), `not a count: ${text}`)
  return count
}

/** What a page, or a report, shows of a run, all of its lists included. */
export async function shownFigures(page: Page): Promise<ShownFigures> {
  const shown = await page.evaluate(() => {
    const text = (at: Element | null | undefined) => at?.textContent?.trim() ?? ''
    const rows = (label: string) =>
      [...document.querySelectorAll(`section[aria-label="${label}"] tr[data-key]:not([data-level])`)].map(
        (row) => [...row.querySelectorAll('td')].map((cell) => text(cell.querySelector('b') ?? cell)),
      )
    return {
      tiles: [...document.querySelectorAll('.tile')].map((at) => [
        at.getAttribute('data-figure') ?? '',
        text(at.querySelector('.value')),
        text(at.querySelector('.more')),
      ]),
      requests: rows('Requests'),
      agents: rows('Agents'),
      groups: [...document.querySelectorAll('section[aria-label=Errors] tr[data-key]')].map((row) =>
        [...row.querySelectorAll('td')].map((cell) => text(cell.querySelector('b')?.parentElement ?? cell)),
      ),
      thresholds: [...document.querySelectorAll('.thresholds li')].map((at) => [
        text(at.querySelector('code')),
        text(at.querySelector('.badge > span')),
        text(at.querySelector('.value')),
      ]),
    }
  })
  const value = (key: string, place = 1) => shown.tiles.find(([name]) => name === key)?.[place] ?? ''
  const byName = <T>(rows: string[][], of: (row: string[]) => T): Record<string, T> =>
    Object.fromEntries(rows.map((row) => [row[0]!, of(row)]))
  return {
    hits: value('hits'),
    failed: value('failed'),
    errors: value('errors'),
    executions: value('users', 2).replace(/ executions$/, ''),
    p50: value('p50'),
    p95: value('p95'),
    p99: value('p99'),
    requests: byName(shown.requests, (row) => [row[2]!, row[4]!.replace(/ .*/, ''), ...row.slice(5, 8)]),
    agents: byName(shown.agents, (row) => row[3]!),
    thresholds: byName(shown.thresholds, (row) => [row[1]!, row[2]!] as [string, string]),
    groups: byName(shown.groups, (row) => row[1]!),
  }
}

/** What a page must show of a run with this summary. Every name must have one status only. */
export function figuresOf(summary: Summary): ShownFigures {
  const { hits, tests, serviceTime, series, agents, thresholds, errorGroups } = summary
  const quantile = (name: Quantile) => quantileText(serviceTime, name)
  return {
    hits: formatCount(hits.count),
    failed: formatCount(hits.failed),
    errors: formatCount(tests.failures + tests.errors),
    executions: formatCount(tests.finished),
    p50: quantile('p50'),
    p95: quantile('p95'),
    p99: quantile('p99'),
    requests: Object.fromEntries(
      series.map(({ name, method, count, failed, serviceTime: time }) => [
        `${method} ${name}`,
        [formatCount(count), formatCount(failed), ...quantiles.map((each) => quantileText(time, each))],
      ]),
    ),
    agents: Object.fromEntries(agents.map((agent) => [agent.id, formatCount(agent.hits)])),
    thresholds: Object.fromEntries(
      thresholds.map(({ expression, value, ok }) => [
        expression,
        [ok ? 'holds' : 'crossed', value === null ? 'no data' : valueText(expression, value)],
      ]),
    ),
    groups: Object.fromEntries(
      errorGroups.map(({ type, message, count }) => [`${type}${message}`, formatCount(count)]),
    ),
  }
}

/** With its unit. */
function valueText(expression: string, value: number): string {
  const source = { expression, abortOnFail: false, delayAbortMs: 0 }
  const [threshold] = parseThresholds([source], { scenarios: [{ name: '', stages: 1 }] })
  return describeValue(threshold!.dimension, value)
}

/** The run's page has the figures of the end. */
export async function untilEnded(page: Page): Promise<void> {
  await page.locator('.status[data-kind=ended]').waitFor()
}

/** Where the page is, as the console says it: with the token. */
export const shownAt = /the run is shown at (http:\/\/\S+)#token=(\S+)/
