import type { Scanner } from './scanner.ts'
import type { Threshold, ThresholdContext } from './threshold.ts'

type Scope = Pick<Threshold, 'overMs' | 'stage' | 'leastSamples'>

const duration = /(\d+(?:\.\d+)?)\s*(ms|s|m|h)?(?![\p{L}\p{N}])/u
const factors: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** The scopes up to the end of the condition. */
export function scopeOf(scanner: Scanner, context: ThresholdContext): Scope {
  let overMs: number | null = null
  let stage: number | null = null
  let leastSamples: number | null = null
  while (!scanner.isAtEnd) {
    const at = scanner.at
    const once = (before: number | null) => {
      if (before !== null) scanner.fail('this is said twice: leave one of them out', at)
    }
    if (scanner.take(/(?:over|for)\b/) !== null) {
      once(overMs)
      overMs = spanOf(scanner)
    } else if (scanner.take(/during\b/) !== null) {
      once(stage)
      stage = stageOf(scanner, context)
    } else if (scanner.take(/in\s+stage\b/) !== null) {
      once(stage)
      stage = onlyStageOf(scanner, context)
    } else if (scanner.take(/min\b|with\s+at\s+least\b/) !== null) {
      once(leastSamples)
      leastSamples = samplesOf(scanner)
    } else {
      scanner.fail(
        `${JSON.stringify(scanner.rest.trim())} makes no sense here: what may follow a limit is ` +
          'over 30s, during SCENARIO/STAGE, in stage 2, min 100, or a comma and the next condition',
      )
    }
  }
  return { overMs, stage, leastSamples: leastSamples ?? 0 }
}

function spanOf(scanner: Scanner): number {
  const at = scanner.at
  const found = scanner.take(duration)
  if (found === null) return scanner.fail('a time is missing: write over 30s')
  const ms = Number(found[1]) * factors[found[2] ?? 's']!
  if (!(ms > 0)) scanner.fail('a span of time is longer than 0: write over 30s', at)
  return ms
}

function stageOf(scanner: Scanner, { scenarios }: ThresholdContext): number {
  const at = scanner.at
  const found = scanner.take(/(?:"([^"]*)"|'([^']*)'|([^\s,"']+?))\/(\d+)(?![\p{L}\p{N}])/u)
  if (found === null) {
    return scanner.fail('name a stage: during SCENARIO/STAGE, the first stage is 1', at)
  }
  const name = found[1] ?? found[2] ?? found[3] ?? ''
  let first = 0
  for (const scenario of scenarios) {
    if (scenario.name === name) return first + placeOf(scanner, Number(found[4]), scenario, at)
    first += scenario.stages
  }
  const known = scenarios.map((scenario) => scenario.name)
  return scanner.fail(`there is no scenario ${name}: the run has ${known.join(', ')}`, at)
}

function onlyStageOf(scanner: Scanner, { scenarios }: ThresholdContext): number {
  const at = scanner.at
  const found = scanner.take(/\d+/)
  if (found === null) return scanner.fail('the number of a stage is missing: the first is stage 1')
  const [only] = scenarios
  if (scenarios.length !== 1 || only === undefined) {
    const names = scenarios.map(({ name }) => `during ${name}/${found[0]}`)
    return scanner.fail(`say of which scenario: ${names.join(' or ')}`, at)
  }
  return placeOf(scanner, Number(found[0]), only, at)
}

function placeOf(
  scanner: Scanner,
  number: number,
  scenario: { name: string; stages: number },
  at: number,
): number {
  if (number >= 1 && number <= scenario.stages) return number - 1
  const has = scenario.stages === 1 ? 'one stage, 1' : `stages 1 to ${scenario.stages}`
  return scanner.fail(`there is no stage ${number}: scenario ${scenario.name} has ${has}`, at)
}

function samplesOf(scanner: Scanner): number {
  const at = scanner.at
  const found = scanner.take(/\d+(?![\p{L}\p{N}.])/u)
  if (found === null) return scanner.fail('a number of samples is missing: write min 100')
  scanner.take(/samples?\b/)
  const number = Number(found[0])
  return number >= 1 ? number : scanner.fail('at least one sample is needed', at)
}
