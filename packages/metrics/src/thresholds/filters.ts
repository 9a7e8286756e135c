import { seriesWords, type Metric } from './metric.ts'
import { nearestNames } from '../nearest-names.ts'
import { partsOf, type Scanner } from './scanner.ts'
import { isSeriesWord, type ThresholdContext } from './threshold.ts'

const words = /[^:=\s{}"',]+/

/** The filters in braces that stand here; none where there are no braces. */
export function filtersOf(
  scanner: Scanner,
  expression: string,
  metric: Metric,
  context: ThresholdContext,
): Record<string, string> {
  const open = scanner.at
  if (scanner.take(/\{/) === null) return {}
  const from = scanner.at
  const to = closingBrace(expression, from)
  if (to === -1) scanner.fail('the brace that opens here is not closed: write }', open)
  const filters: [string, string][] = []
  for (const [start, end] of partsOf(expression, from, to, [','])) {
    if (expression.slice(start, end).trim() === '') {
      scanner.fail('a filter is missing: write word:value, as in {name:login,status:200}', start)
    }
    const filter = parseFilter(scanner, expression, start, end)
    check(scanner, metric, filter.word, filter.value, start, context)
    if (filters.some(([word]) => word === filter.word)) {
      scanner.fail(`${filter.word} is asked for twice: no series has two`, start)
    }
    filters.push([filter.word, filter.value])
  }
  scanner.back(to + 1)
  // A run of one scenario does not mark its series with it.
  const asked = context.scenarios.length > 1 ? filters : filters.filter(([word]) => word !== 'scenario')
  return Object.fromEntries(asked)
}

/** The brace that closes; braces inside (`/items/{id}`) come in pairs. */
function closingBrace(expression: string, from: number): number {
  let depth = 0
  let quote = ''
  for (let at = from; at < expression.length; at++) {
    const letter = expression[at]!
    if (quote !== '') {
      if (letter === quote) quote = ''
    } else if ((letter === '"' || letter === "'") && /[\s:={,]/.test(expression[at - 1] ?? ' '))
      quote = letter
    else if (letter === '{') depth++
    else if (letter === '}' && depth-- === 0) return at
  }
  return -1
}

function parseFilter(
  scanner: Scanner,
  expression: string,
  start: number,
  end: number,
): { word: string; value: string } {
  scanner.back(start)
  const word = scanner.take(words)?.[0]
  if (word === undefined || scanner.take(/[:=]/) === null) {
    return scanner.fail('a filter is word:value, as in {name:login,status:200}', start)
  }
  const value = expression.slice(scanner.at, end).trim()
  const quoted = /^"([^"]*)"$|^'([^']*)'$/.exec(value)
  if (quoted !== null) return { word, value: quoted[1] ?? quoted[2] ?? '' }
  if (value === '') scanner.fail(`the value of ${word} is missing; an empty one is written ""`, start)
  return { word, value }
}

function check(
  scanner: Scanner,
  metric: Metric,
  word: string,
  value: string,
  at: number,
  { scenarios }: ThresholdContext,
): void {
  if (metric.type === 'custom') {
    scanner.fail(
      `${metric.name} cannot be filtered: counters, gauges and timings of your own have no tags`,
      at,
    )
  }
  if (!metric.tagged && metric.words.length === 0) scanner.fail(`${metric.name} cannot be filtered`, at)
  if (isSeriesWord(word)) {
    if (metric.words.includes(word)) return
    const has = [...metric.words, 'tags'].join(', ')
    scanner.fail(`series of ${metric.name} have no ${word}: filter them by ${has}`, at)
  }
  const near = nearestNames(word, seriesWords)
  if (near.length > 0 && word.length > 3)
    scanner.fail(`${word} looks like ${near[0]}: write that, or name the tag otherwise`, at)
  if (word !== 'scenario' || scenarios.some(({ name }) => name === value)) return
  const known = scenarios.map(({ name }) => name)
  scanner.fail(`there is no scenario ${value}: the run has ${known.join(', ')}`, at)
}
