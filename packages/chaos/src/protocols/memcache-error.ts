import { oneOf, words } from '../attributes.ts'
import { defineFault } from '../faults/definition.ts'
import { CutReply, type Following } from './cut-reply.ts'
import { needsProtocol } from './error-mode.ts'
import type { Treatment } from './exchange.ts'
import { bodyOf } from './memcache-framer.ts'
import type { MemcacheRequest } from './memcache-request.ts'
import type { RequestHead } from './protocol.ts'
import { pickWeighted, type Weighted } from './weighted.ts'

interface MemcacheErrorAttributes {
  statuses: readonly string[]
  when: 'instead' | 'after'
  mode: 'answer' | 'truncate' | 'cut'
}

interface Status {
  word: 'ERROR' | 'CLIENT_ERROR' | 'SERVER_ERROR' | 'MISS'
  /** Null: the usual one. */
  text: string | null
}

const retrieving = new Set(['GET', 'GETS', 'GAT', 'GATS', 'MG'])
const storing = new Set(['SET', 'ADD', 'REPLACE', 'APPEND', 'PREPEND', 'CAS', 'MS'])

/** Of a made-up value, bytes that it promises and bytes that come. */
const promised = 64
const sent = 32

/** Errors of memcached. A command without a reply (`noreply`, quiet meta commands, `quit`) is left alone. */
export const memcacheError = defineFault<MemcacheErrorAttributes>({
  type: 'memcache_error',
  summary: 'an error of memcached or a miss in place of a reply, or a reply that is cut',
  attributes: {
    statuses: words({
      initial: ['SERVER_ERROR'],
      help: 'which answer, each as likely as its weight: SERVER_ERROR:3, CLIENT_ERROR some text, miss',
      allowed:
        'a list of ERROR, CLIENT_ERROR, SERVER_ERROR (these two may have a text of their own) and miss, each with :WEIGHT if wanted',
      check: (word) => readStatus(word) !== undefined,
    }),
    when: oneOf(['instead', 'after'], {
      initial: 'instead',
      help: 'the server never sees the command, or does its work and the client does not learn of it',
    }),
    mode: oneOf(['answer', 'truncate', 'cut'], {
      initial: 'answer',
      help: 'an answer; of what is read half a value (other commands are let through); a reply that ends in its first line. Both end the connection',
    }),
  },
  units: ['request', 'connection'],
  check: needsProtocol('memcache'),
  suits(request, { attributes: { statuses, mode } }) {
    if (request.replies === 0) return false
    if (mode === 'truncate') return retrieving.has(request.verb ?? '')
    return mode === 'cut' || choicesOf(statuses, request).length > 0
  },
  treat({ request, random }, { statuses, when, mode }) {
    if (mode !== 'answer' && when === 'after')
      return {
        replyStage: (flow) => new CutReply(flow, mode === 'truncate' ? 'value' : 'line', followingOf),
        detail: { mode },
      }
    if (mode === 'truncate') return closing(madeUpValue(request as MemcacheRequest), mode)
    const choices = choicesOf(statuses, request)
    const status = choices.length === 0 ? serverError : pickWeighted(choices, random)
    const line = lineOf(status, request as MemcacheRequest)
    if (mode === 'cut') return closing(line.slice(0, Math.ceil(line.length / 2)), mode)
    return {
      reply: {
        bytes: Buffer.from(`${line}\r\n`),
        backend: when === 'after' ? 'asked' : 'spared',
        closes: false,
      },
      detail: { status: status.word },
    }
  },
})

const serverError: Status = { word: 'SERVER_ERROR', text: null }

function closing(text: string, mode: string): Treatment {
  return { reply: { bytes: Buffer.from(text), backend: 'spared', closes: true }, detail: { mode } }
}

function readStatus(written: string): { status: Status; weight: number } | undefined {
  const found = /^(ERROR|CLIENT_ERROR|SERVER_ERROR|miss)(?::(\d{1,6}))?(?: (.{1,400}))?$/i.exec(written)
  if (found === null) return undefined
  const word = found[1]!.toUpperCase() as Status['word']
  const weight = found[2] === undefined ? 1 : Number(found[2])
  const text = found[3] ?? null
  if (weight === 0 || (text !== null && (word === 'ERROR' || word === 'MISS'))) return undefined
  return { status: { word, text }, weight }
}

/** Those that are an answer to this request: not every command can miss. */
function choicesOf(statuses: readonly string[], request: RequestHead): readonly Weighted<Status>[] {
  return statuses
    .map((written) => readStatus(written)!)
    .filter(({ status }) => status.word !== 'MISS' || missOf(request as MemcacheRequest) !== undefined)
    .map(({ status, weight }) => ({ item: status, weight }))
}

/** What the server says when there is no such key; undefined where it never does. */
function missOf({ verb, repeated }: MemcacheRequest): string | undefined {
  switch (verb) {
    case 'GET':
    case 'GETS':
    case 'GAT':
    case 'GATS':
      return 'END'
    case 'MG':
    case 'ME':
      return 'EN'
    case 'MD':
    case 'MA':
      return ['NF', ...repeated].join(' ')
    case 'REPLACE':
    case 'APPEND':
    case 'PREPEND':
      return 'NOT_STORED'
    case 'CAS':
    case 'DELETE':
    case 'INCR':
    case 'DECR':
    case 'TOUCH':
      return 'NOT_FOUND'
    default:
      return undefined
  }
}

function lineOf({ word, text }: Status, request: MemcacheRequest): string {
  if (word === 'MISS') return missOf(request) ?? 'END'
  if (word === 'ERROR') return word
  return `${word} ${text ?? usualText(word, request.verb ?? '')}`
}

function usualText(word: 'CLIENT_ERROR' | 'SERVER_ERROR', verb: string): string {
  const isCounting = verb === 'INCR' || verb === 'DECR'
  if (word === 'CLIENT_ERROR') {
    if (storing.has(verb)) return 'bad data chunk'
    return isCounting ? 'cannot increment or decrement non-numeric value' : 'bad command line format'
  }
  if (storing.has(verb)) return 'out of memory storing object'
  if (isCounting) return 'out of memory in incr'
  return retrieving.has(verb) ? 'out of memory writing get response' : 'out of memory'
}

function madeUpValue({ verb, path, repeated }: MemcacheRequest): string {
  const value = 'x'.repeat(sent)
  if (verb === 'MG') return `${['VA', promised, ...repeated].join(' ')}\r\n${value}`
  const cas = verb === 'GETS' || verb === 'GATS' ? ' 1' : ''
  return `VALUE ${path ?? ''} 0 ${promised}${cas}\r\n${value}`
}

function followingOf(line: string): Following {
  const body = bodyOf(line)
  if (body === 'goes on') return 'line'
  return typeof body === 'object' ? body.length : 'nothing'
}
