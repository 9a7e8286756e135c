import { formatCount, formatMillis, formatRate, plural } from '../console/figures.ts'
import { textTable } from '../console/text-table.ts'
import type { Capacity } from './search.ts'
import type { StepFigures } from './step-meter.ts'
import { textPlot } from './text-plot.ts'

/** What was searched for and found: `capacity.json`, and what `--json` gives. */
export interface CapacityReport {
  schema: 'loads.capacity/1'
  runId: string
  objective: string
  /** What was changed: executions per second, or users. */
  controls: 'rate' | 'users'
  /** The search came to its end; false: the run ended before. */
  complete: boolean
  /** The highest load that held the objective; null when none did. */
  capacity: number | null
  /** The lowest load above it that did not hold; the truth lies between. Null when none was found. */
  failsAt: number | null
  limit: Capacity['limit']
  /** It held once more at the end, for twice the time. */
  confirmed: boolean
  /** The answer in a sentence. */
  answer: string
  /** As they were made. Times in milliseconds. */
  steps: StepFigures[]
}

export function makeReport(
  runId: string,
  objective: string,
  controls: 'rate' | 'users',
  complete: boolean,
  found: Capacity,
  steps: StepFigures[],
): CapacityReport {
  const { target, failsAt, limit, confirmed } = found
  const report = { schema: 'loads.capacity/1' as const, runId, objective, controls, complete }
  const answer = sentenceOf(objective, controls, complete, found, steps)
  return { ...report, capacity: target, failsAt, limit, confirmed, answer, steps }
}

/** A load with its unit. */
export function loadText(target: number, controls: 'rate' | 'users'): string {
  return controls === 'rate' ? `${formatRate(target)}/s` : plural(target, 'user')
}

/** A step in a line. */
export function stepText(step: StepFigures, number: number, controls: 'rate' | 'users'): string {
  return `step ${number}: ${loadText(step.target, controls)} ${verdictOf(step)}; ${figuresOf(step)}`
}

/** The table of the steps, the curve, and the answer. */
export function reportText({ steps, controls, answer }: CapacityReport): string {
  const table = textTable(steps, [
    { title: 'step', align: 'right', of: (step) => String(steps.indexOf(step) + 1) },
    { title: controls, align: 'right', of: (step) => loadText(step.target, controls) },
    { title: 'for', of: (step) => purposes[step.purpose] },
    { title: 'seconds', align: 'right', of: (step) => step.seconds.toFixed(1) },
    { title: 'started/s', align: 'right', of: (step) => formatRate(step.startedPerSecond) },
    { title: 'p50', align: 'right', of: (step) => quantile(step, 'p50', 0.5) },
    { title: 'p95', align: 'right', of: (step) => quantile(step, 'p95', 0.95) },
    { title: 'p99', align: 'right', of: (step) => quantile(step, 'p99', 0.99) },
    { title: 'errors', align: 'right', of: (step) => share(step.badShare) },
    { title: 'objective', of: verdictOf },
  ])
  return `\n${table}${curveOf(steps, controls)}\n${answer}\n`
}

const purposes: Record<StepFigures['purpose'], string> = {
  grow: 'growth',
  again: 'a second look',
  narrow: 'bisection',
  hold: 'confirmation',
}

const plotSize = { width: 56, height: 12 }

/** Load against p95, and against errors where there were any. A load that was tried twice is drawn as it was last. */
function curveOf(steps: readonly StepFigures[], controls: 'rate' | 'users'): string {
  const last = [...new Map(steps.map((step) => [step.target, step])).values()].sort(
    (one, other) => one.target - other.target,
  )
  const formatX = (target: number) => loadText(target, controls)
  const line = (mark: string, held: boolean) => ({
    mark,
    points: last.flatMap(({ target, p95, outcome }) =>
      p95 === null || (outcome === 'held') !== held ? [] : [{ x: target, y: p95 }],
    ),
  })
  const lines = [line('o', true), line('x', false)]
  const times = textPlot(lines, { ...plotSize, formatX, formatY: formatMillis })
  const bad = last.flatMap(({ target, badShare }) => (badShare === null ? [] : [{ x: target, y: badShare }]))
  const errors = bad.some(({ y }) => y > 0)
    ? textPlot([{ mark: '*', points: bad }], { ...plotSize, height: 6, formatX, formatY: share })
    : ''
  return (
    (times === '' ? '' : `\np95 by load (o: holds, x: does not)\n${times}`) +
    (errors === '' ? '' : `\nerrors and failures by load\n${errors}`)
  )
}

function verdictOf({ outcome, reasons }: StepFigures): string {
  if (outcome === 'held') return reasons.length === 0 ? 'holds' : `holds (generator: ${reasons.join(', ')})`
  if (outcome === 'failed') return 'fails'
  return outcome === 'limited' ? `generator: ${reasons.join(', ')}` : reasons.join(', ')
}

function figuresOf(step: StepFigures): string {
  const conditions = step.standings.map(({ expression, value, ok }) => {
    const mark = ok === null ? '?' : ok ? 'ok' : 'crossed'
    return `${expression} (${value === null ? '-' : Number(value.toPrecision(3))}, ${mark})`
  })
  return `${formatRate(step.startedPerSecond)} started/s, ${conditions.join(', ')}`
}

function quantile(step: StepFigures, key: 'p50' | 'p95' | 'p99', q: number): string {
  const text = formatMillis(step[key])
  return step[key] !== null && step.trustedTo < q ? `~${text}` : text
}

function share(value: number | null): string {
  if (value === null) return '-'
  const percent = value * 100
  return `${percent > 0 && percent < 10 ? percent.toFixed(2).replace(/\.?0+$/, '') : Math.round(percent)}%`
}

function sentenceOf(
  objective: string,
  controls: 'rate' | 'users',
  complete: boolean,
  { target, failsAt, limit, confirmed }: Capacity,
  steps: readonly StepFigures[],
): string {
  const load = (amount: number) => loadText(amount, controls)
  const cut = complete ? '' : 'The search was cut short. '
  const made = `${formatCount(steps.length)} ${steps.length === 1 ? 'step' : 'steps'}`
  if (target === null) {
    if (steps.length === 0) return `${cut}Nothing was measured.`
    const lowest = Math.min(...steps.map((step) => step.target))
    if (limit === 'unclear')
      return `${cut}No load gave enough samples to judge ${objective}: take a longer --capacity-step, or a higher start.`
    if (limit === 'generator')
      return `${cut}The generator could not make ${load(lowest)}: nothing can be said of the target. Use more agents, or more --users.`
    return `${cut}Not even ${load(lowest)} holds ${objective}.`
  }
  const held = confirmed ? 'confirmed' : 'not confirmed'
  const answer = `${cut}The target holds ${objective} up to ${load(target)} (${held}, ${made})`
  switch (limit) {
    case 'most':
      return `${answer}; that is the highest load that was ${complete ? 'allowed: raise --capacity-max to look further' : 'tried'}.`
    case 'generator':
      return `${answer}; at ${load(failsAt!)} the load generator was the limit, not the target: use more agents, or more --users.`
    case 'unclear':
      return `${answer}; at ${load(failsAt!)} there were too few samples to say.`
    case 'target':
      return `${answer}; at ${load(failsAt!)} it fails.`
  }
}
