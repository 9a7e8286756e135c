import {
  parseThresholds,
  thresholdSelects,
  type Aggregate,
  type SeriesTotals,
  type Summary,
  type Threshold,
} from '@loads-runner/metrics'
import type { RunSpec } from '@loads-runner/protocol'
import xmlbuilder from 'xmlbuilder'
import type { OutputEnvironment } from '../environment.ts'
import type { Output } from '../output.ts'
import { FinalOutput } from './final-output.ts'

/** Groups of errors told of one test: the most frequent ones. */
const mostGroups = 20

type Problem = { kind: 'failure' | 'error'; message: string; type: string; text: string }
type TestCase = { suite: string; name: string; seconds: number | null; problems: Problem[]; note: string }

/** `junit:FILE`: a test suite for CI: each test, each threshold, and the verdict where nothing else tells it. */
export function createJunit(args: string, environment: OutputEnvironment): Output {
  return new FinalOutput({
    name: 'junit',
    args,
    environment,
    // Of the events nothing is used: they make the host keep figures, and so errors by test.
    wants: ['event', 'end'],
    render: ({ spec, view }, summary) => (summary === null ? null : junitOf(summary, spec, view.aggregate)),
  })
}

/** JUnit XML of a run. What XML cannot hold (control characters) is left out. */
export function junitOf(summary: Summary, spec: RunSpec, aggregate: Aggregate): string {
  const cases = [
    ...summary.executions.map((row) => testCase(row, spec, aggregate)),
    ...summary.thresholds.map(thresholdCase),
  ]
  const isRed = cases.some(({ problems }) => problems.length > 0)
  if (summary.verdict !== 'passed' && (summary.verdict !== 'failed' || !isRed))
    cases.push(verdictCase(summary))
  const countOf = (kind: Problem['kind']) =>
    cases.filter(({ problems }) => problems.some((problem) => problem.kind === kind)).length
  const figures = {
    tests: cases.length,
    failures: countOf('failure'),
    errors: countOf('error'),
    time: summary.durationSeconds,
  }
  const root = xmlbuilder.create(
    'testsuites',
    { encoding: 'UTF-8' },
    {},
    { invalidCharReplacement: '', separateArrayItems: false },
  )
  root.att({ name: 'loads', ...figures })
  const suite = root.ele('testsuite', {
    name: spec.names.join(' '),
    ...figures,
    skipped: 0,
    ...(summary.started === null ? {} : { timestamp: summary.started.replace(/\.\d+Z$/, '') }),
  })
  const properties = suite.ele('properties')
  for (const [name, value] of Object.entries(propertiesOf(summary)))
    if (value !== null) properties.ele('property', { name, value })
  for (const { suite: classname, name, seconds, problems, note } of cases) {
    const element = suite.ele('testcase', { classname, name, time: seconds ?? 0 })
    for (const { kind, text, ...attributes } of problems) element.ele(kind, attributes, text)
    if (note !== '') element.ele('system-out', {}, note)
  }
  return `${root.end({ pretty: true })}\n`
}

function propertiesOf({ runId, seed, verdict, exitCode, hits, serviceTime }: Summary) {
  const { p50, p95, p99, max } = serviceTime
  return {
    'run id': runId,
    seed,
    verdict,
    'exit code': exitCode,
    hits: hits.count,
    'hits failed': hits.failed,
    'hits per second': hits.perSecond,
    'p50 ms': p50,
    'p95 ms': p95,
    'p99 ms': p99,
    'max ms': max,
  }
}

function testCase(row: Summary['executions'][number], spec: RunSpec, aggregate: Aggregate): TestCase {
  const { test, successes, failures, errors, interrupted, duration } = row
  const dot = test.lastIndexOf('.')
  const groups = errorsOf(aggregate, test)
  const undecided = undecidedOf(test, spec, aggregate)
  const finished = successes + failures + errors
  const problems: Problem[] = []
  for (const [kind, count] of [
    ['failure', undecided.failures],
    ['error', undecided.errors],
  ] as const) {
    if (count === 0) continue
    const mine = groups.filter((group) => isAssertion(group) === (kind === 'failure'))
    const told = mine.length > 0 ? mine : groups
    const first = told[0]?.detail
    problems.push({
      kind,
      message: `${count} of ${finished} executions: ${first?.message ?? 'no message'}`,
      type: first?.type ?? kind,
      text: told.slice(0, mostGroups).map(describeGroup).join('\n\n'),
    })
  }
  const note =
    `${finished} executions: ${successes} succeeded, ${failures} failed, ${errors} erred, ${interrupted} were interrupted` +
    (failures + errors > 0 && problems.length === 0 ? '; a threshold decides about them' : '')
  return {
    suite: dot > 0 ? test.slice(0, dot) : spec.names.join(' '),
    name: test.slice(dot + 1),
    seconds: duration.mean === null ? null : duration.mean / 1000,
    problems,
    note,
  }
}

/** Failures and errors that no threshold speaks of, as the verdict has it: a run with `errors<1%` may have a few. */
function undecidedOf(
  test: string,
  spec: RunSpec,
  aggregate: Aggregate,
): { failures: number; errors: number } {
  const deciding = thresholdsOf(spec).filter(({ stage, overMs }) => stage === null && overMs === null)
  const left = { failures: 0, errors: 0 }
  for (const { key, count } of aggregate.ofKind('execution')) {
    if (key.test !== test || (key.status !== 'failure' && key.status !== 'error')) continue
    const outcome = key.status === 'failure' ? 'failures' : 'errors'
    if (!deciding.some((each) => each.metric.name === outcome && thresholdSelects(each, key)))
      left[outcome] += count
  }
  return left
}

function thresholdsOf({ thresholds, profile }: RunSpec): Threshold[] {
  const scenarios = profile.scenarios.map(({ name, stages }) => ({ name, stages: stages.length }))
  try {
    return parseThresholds(thresholds, { scenarios })
  } catch {
    // The run was made with them, so this one is of another version: then its outcomes speak for themselves.
    return []
  }
}

function errorsOf(aggregate: Aggregate, test: string): SeriesTotals[] {
  return aggregate.ofKind('error').filter(({ key }) => key.test === test)
}

function isAssertion({ detail }: SeriesTotals): boolean {
  return /assert/i.test(detail?.type ?? '')
}

function describeGroup({ key, detail, count }: SeriesTotals): string {
  const { type, message, sample } = detail ?? { type: key.name, message: '', sample: '' }
  return [`${count} × ${type}: ${message}`, sample].filter((line) => line !== '').join('\n')
}

function thresholdCase({ expression, value, ok }: Summary['thresholds'][number]): TestCase {
  const message = value === null ? 'too little was recorded to say' : `it was ${value}`
  const problem: Problem = {
    kind: 'failure',
    message: `${expression}: ${message}`,
    type: 'threshold',
    text: message,
  }
  return {
    suite: 'thresholds',
    name: expression,
    seconds: null,
    problems: ok ? [] : [problem],
    note: message,
  }
}

function verdictCase({ verdict, reasons }: Summary): TestCase {
  const text = reasons.join('\n')
  const problem: Problem = {
    kind: verdict === 'failed' ? 'failure' : 'error',
    message: `${verdict}: ${reasons[0] ?? 'no reason is known'}`,
    type: verdict,
    text,
  }
  return { suite: 'run', name: 'verdict', seconds: null, problems: [problem], note: '' }
}
