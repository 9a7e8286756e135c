import { Correlation } from './correlation.ts'
import type { Fields } from './expression.ts'
import { camelCase, Names, pascalCase } from './names.ts'
import type { PlannedModule, PlannedRequest } from './planned-test.ts'
import type { Recorded } from './recorded.ts'
import { RequestPlanner } from './request-planner.ts'

export interface RecordingOptions {
  /** Where the recording comes from, for a comment. */
  source: string
  /** Name of the class without `Test`. */
  name: string
  /** Assets of pages, too. */
  all: boolean
  /** Wait as long as the user did; else that is a comment. */
  pauses: boolean
}

export interface RecordingPlan {
  plan: PlannedModule
  /** Requests in the test. */
  requests: number
  assets: number
  redirects: number
  correlated: number
  /** What the user should know: a sentence each. */
  warnings: string[]
}

/** A pause that short is the machine's. Milliseconds. */
const leastPauseMs = 500

/** A test of all that was recorded, in its order, as one user's way through the pages. */
export function planRecording(recorded: readonly Recorded[], options: RecordingOptions): RecordingPlan {
  const kept = options.all ? recorded : recorded.filter(({ asset }) => !asset)
  const steps = withoutFollowed(kept)
  const serverUrl = mostFrequent(steps.map(({ first }) => new URL(first.url).origin))
  const names = new Names()
  const correlation = new Correlation(names)
  const planner = new RequestPlanner({ correlation, names, serverUrl })
  const requests: PlannedRequest[] = []
  let page = ''
  let endedAt: number | null = null
  for (const { first, last } of steps) {
    const request = planner.plan(first)
    request.expected = expectedOf(last.status)
    if (first.page !== page && first.page !== '') request.comments.push(`page: ${first.page}`)
    page = first.page
    const pauseMs = endedAt === null || first.startedAt === null ? 0 : first.startedAt - endedAt
    if (pauseMs >= leastPauseMs) {
      if (options.pauses) request.pauseMs = pauseMs
      else request.comments.push(`${(pauseMs / 1000).toFixed(1)} s later`)
    }
    if (last.startedAt !== null) endedAt = Math.max(endedAt ?? 0, last.startedAt + last.durationMs)
    if (last.json !== null) correlation.answered(last.json, request.captures)
    requests.push(request)
  }
  const name = pascalCase(options.name) || 'Recording'
  const method = { name: `test_${camelCase(options.name) || 'recording'}`, requests }
  return {
    plan: {
      comments: [`From ${options.source}`],
      classes: [{ name: `Test${name}`, comments: [], serverUrl, methods: [method] }],
    },
    requests: requests.length,
    assets: recorded.length - kept.length,
    redirects: kept.length - steps.length,
    correlated: requests.reduce((sum, { captures }) => sum + captures.length, 0),
    warnings: warningsOf(requests, recorded),
  }
}

interface Step {
  first: Recorded
  /** The same, or the answer at the end of its redirects. */
  last: Recorded
}

/** The session follows redirects by itself: what a recording has of that is taken together. */
function withoutFollowed(recorded: readonly Recorded[]): Step[] {
  const steps: Step[] = []
  /** Steps whose last answer sends the user elsewhere, by that address. */
  const waiting = new Map<string, Step>()
  for (const each of recorded) {
    const step = waiting.get(each.url)
    if (step === undefined) {
      steps.push({ first: each, last: each })
      wait(steps.at(-1)!)
      continue
    }
    waiting.delete(each.url)
    step.last = each
    wait(step)
  }
  return steps

  function wait(step: Step): void {
    const { status, location, url } = step.last
    if (status < 300 || status > 399 || location === null || !URL.canParse(location, url)) return
    const target = new URL(location, url)
    target.hash = ''
    waiting.set(target.href, step)
  }
}

/** A 304 answers a question that the test does not ask: its session has no cache. */
function expectedOf(status: number): number | null {
  if (status === 304) return 200
  return status >= 200 && status <= 599 ? status : null
}

function mostFrequent(texts: readonly string[]): string | null {
  const counts = new Map<string, number>()
  let best: string | null = null
  for (const text of texts) {
    counts.set(text, (counts.get(text) ?? 0) + 1)
    if (best === null || counts.get(text)! > counts.get(best)!) best = text
  }
  return best
}

function warningsOf(requests: readonly PlannedRequest[], recorded: readonly Recorded[]): string[] {
  const warnings: string[] = []
  const secrets = requests.filter(({ auth, headers }) => hasLiteral(auth) || hasSecret(headers)).length
  if (secrets > 0)
    warnings.push(
      `${secrets} of the requests hold credentials as they were recorded: take them from process.env, given with --secret`,
    )
  const given = new Set(recorded.flatMap(({ setsCookies }) => setsCookies))
  const before = new Set(recorded.flatMap(cookieNames).filter((name) => !given.has(name)))
  if (before.size > 0) {
    const shown = [...before].slice(0, 5).join(', ') + (before.size > 5 ? ', ...' : '')
    warnings.push(
      `cookies that were there before the recording are left out (${shown}); set them with this.session.cookies.set()`,
    )
  }
  return warnings
}

function cookieNames({ headers }: Recorded): string[] {
  return headers
    .filter(([name]) => name.toLowerCase() === 'cookie')
    .flatMap(([, value]) => value.split(';').map((pair) => pair.split('=')[0]!.trim()))
    .filter((name) => name !== '')
}

function hasLiteral(auth: Fields | null): boolean {
  return auth !== null && auth.entries.some(([, value]) => typeof value === 'string')
}

function hasSecret({ entries }: Fields): boolean {
  return entries.some(
    ([name, value]) => typeof value === 'string' && /^authorization$|api-?key|token|secret/i.test(name),
  )
}
