import { parseDuration } from '../duration.ts'
import type { OptionTable } from '../option-table.ts'
import { flag, list, pair, word } from '../option-values.ts'
import type { Words } from '../option-values.ts'
import { parseOutput } from '../outputs.ts'
import type { OutputRequest } from '../outputs.ts'

/** What is asked of the figures, and where they go. */
export interface ResultsSettings {
  /** As written; checked by the grammar of the package metrics. */
  threshold: readonly string[]
  abortOnFail: boolean
  delayAbort: number
  warmUp: number
  output: readonly OutputRequest[]
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
  output: {
    flags: '-o, --output <NAME[:ARGS]>',
    group,
    help: 'where results go besides the terminal: json:FILE, null; repeatable',
    initial: [],
    parse: (text, previous) => [...previous, parseOutput(text)],
    repeatable: true,
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
