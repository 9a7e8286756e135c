import { parseOutput } from '@loads-runner/outputs/request'
import { parseDuration } from '../duration.ts'
import { UsageError } from '../errors.ts'
import type { OptionTable } from '../option-table.ts'
import { flag, hostAndPort, list, pair, word } from '../option-values.ts'
import type { Words } from '../option-values.ts'

/** What is asked of the figures, and where they go. */
export interface ResultsSettings {
  /** As written; checked by the grammar of the package metrics. */
  threshold: readonly string[]
  abortOnFail: boolean
  delayAbort: number
  warmUp: number
  /** A run that expressions may speak of as `baseline`. */
  compareWith: string | null
  /** As written; read by the package outputs when the run is made. */
  output: readonly string[]
  dashboard: boolean
  /** Null: 127.0.0.1, on the usual port or any free one. */
  dashboardBind: { host: string; port: number } | null
  /** As written: sources of figures of the target itself. */
  observe: readonly string[]
  quiet: boolean
  json: string | null
  results: string
  label: Words
  projectName: string | null
  userId: string | null
  debug: boolean
}

const judging = 'What the figures must hold:'
const group = 'Results:'

const nothing: Words = {}

/** The name is looked at here, with all other options; what follows it, when the run is made. */
function outputs(text: string, previous: readonly string[]): readonly string[] {
  try {
    return [...previous, parseOutput(text).text]
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

export const resultsOptions: OptionTable<ResultsSettings> = {
  threshold: {
    flags: '--threshold <EXPR>',
    group: judging,
    help: 'a condition: "http_req_duration: p(95)<200", "errors: rate<0.01"; exit code 99 where they do not; repeatable',
    initial: [],
    parse: list,
    repeatable: true,
    separator: ';',
    aliases: ['thresholds'],
  },
  abortOnFail: {
    flags: '--abort-on-fail',
    group: judging,
    help: 'end the run as soon as a threshold is crossed',
    initial: false,
    parse: flag,
  },
  delayAbort: {
    flags: '--delay-abort <T>',
    group: judging,
    help: 'but not before this time of the run',
    initial: 0,
    parse: parseDuration,
  },
  warmUp: {
    flags: '--warm-up <T>',
    group: judging,
    help: 'leave the figures of the first time of the run out of the summary',
    initial: 0,
    parse: parseDuration,
  },
  compareWith: {
    flags: '--compare-with <RUN>',
    group: judging,
    help: 'last-passed, latest, or a run directory: thresholds may say baseline ("p(95)<baseline*1.1"); without any that do, p95 may grow by 20 % and errors by 1 %',
    initial: null,
    parse: word,
  },
  output: {
    flags: '-o, --output <NAME[:ARGS]>',
    group,
    help: 'where results go besides the terminal, repeatable: json csv ndjson junit html :FILE, statsd:HOST:PORT, influx:URL, prometheus:HOST:PORT, otlp:URL, webhook:URL, ./module.js',
    initial: [],
    parse: outputs,
    repeatable: true,
  },
  dashboard: {
    flags: '--dashboard',
    group,
    help: 'show the run live on a web page',
    initial: false,
    parse: flag,
  },
  dashboardBind: {
    flags: '--dashboard-bind <HOST:PORT>',
    group,
    help: 'where that page is (default: 127.0.0.1:7777, or any free port)',
    initial: null,
    parse: hostAndPort,
  },
  observe: {
    flags: '--observe <NAME:ARGS>',
    group,
    help: 'figures of the target itself, on the same time axis: prometheus:URL; repeatable',
    initial: [],
    parse: list,
    repeatable: true,
    // Addresses may have commas in them.
    separator: ';',
  },
  quiet: {
    flags: '-q, --quiet',
    group,
    help: 'show neither progress nor summary',
    initial: false,
    parse: flag,
  },
  json: {
    flags: '--json <FILE>',
    group,
    help: 'write the summary, or the answer of a query, as JSON; - is standard output',
    initial: null,
    parse: word,
  },
  results: {
    flags: '--results <DIR>',
    group,
    help: 'where run directories are made (default: results)',
    initial: 'results',
    parse: word,
  },
  label: {
    flags: '--label <K=V>',
    group,
    help: 'label of the run; repeatable',
    initial: nothing,
    parse: pair,
    repeatable: true,
  },
  projectName: {
    flags: '--project-name <NAME>',
    group,
    help: 'project the run belongs to',
    initial: null,
    parse: word,
  },
  userId: { flags: '--user-id <NAME>', group, help: 'who runs it', initial: null, parse: word },
  debug: {
    flags: '--debug',
    group,
    help: 'show what broker and agents log',
    initial: false,
    parse: flag,
  },
}
