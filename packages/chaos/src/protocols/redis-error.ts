import { oneOf, text, words } from '../attributes.ts'
import { defineFault } from '../faults/definition.ts'
import { CutReply, type Following } from './cut-reply.ts'
import { needsProtocol } from './error-mode.ts'
import type { Exchange, Treatment } from './exchange.ts'
import type { RequestHead } from './protocol.ts'
import { isRedirection, knownStatuses, readStatus, usualText, type RedisStatus } from './redis-statuses.ts'
import { slotOf } from './redis-slot.ts'
import { replacedRequest } from './replaced-request.ts'
import { pickWeighted, type Weighted } from './weighted.ts'

interface RedisErrorAttributes {
  statuses: readonly string[]
  /** HOST:PORT that MOVED and ASK name; empty: none. */
  target: string
  when: 'instead' | 'after'
  mode: 'answer' | 'truncate' | 'cut'
}

/**
 * Makes the server discard what it has queued at EXEC, whatever the user may do there: a command without its arguments is
 * refused before all else.
 */
const refused = Buffer.from('*1\r\n$3\r\nGET\r\n')
const discard = Buffer.from('*1\r\n$7\r\nDISCARD\r\n')

/** Of a made-up bulk string, bytes that it promises and bytes that come. */
const promised = 64
const sent = 32

/**
 * Errors of Redis. Commands without a reply (CLIENT REPLY OFF and SKIP) are left alone, and so is CLIENT REPLY itself.
 *
 * A transaction ends in a defined state: a hit command within MULTI is not queued, and the server will answer EXEC by EXECABORT,
 * as it does after an error of its own. A hit EXEC discards the transaction; its answer is EXECABORT with the error in it, but
 * for errors of a cluster, which stand alone. With `after` EXEC does its work first. A hit DISCARD or RESET discards. A hit MULTI begins
 * nothing.
 */
export const redisError = defineFault<RedisErrorAttributes>({
  type: 'redis_error',
  summary: 'an error of Redis in place of a reply, or a reply that is cut',
  attributes: {
    statuses: words({
      initial: ['ERR', 'OOM', 'READONLY', 'LOADING', 'BUSY'],
      help: 'which error, each as likely as its weight: -READONLY, OOM:3, -ERR:2 some text',
      allowed: `a list of errors such as -READONLY, OOM:3 or -ERR some text; those with a usual text are ${knownStatuses.join(', ')}`,
      check: (word) => readStatus(word) !== undefined,
    }),
    target: text({ initial: '', help: 'HOST:PORT that MOVED and ASK name', most: 300 }),
    when: oneOf(['instead', 'after'], {
      initial: 'instead',
      help: 'the server never sees the command, or does its work and the client does not learn of it',
    }),
    mode: oneOf(['answer', 'truncate', 'cut'], {
      initial: 'answer',
      help: 'an error; a bulk string of which the end is missing; a reply that ends in its first line. Both end the connection',
    }),
  },
  units: ['request', 'connection'],
  check({ statuses, target }, context) {
    const reason = needsProtocol('redis')(null, context)
    if (reason !== null) return reason
    if (target !== '' && !/^\S+:\d{1,5}$/.test(target)) return `target must be HOST:PORT, not ${target}`
    const needing = choicesOf(statuses).find(({ item }) => isRedirection(item.word) && item.text === null)
    if (needing === undefined || target !== '') return null
    return `${needing.item.word} needs a target, the HOST:PORT to which it sends clients`
  },
  suits: (request) => request.replies === 1 && request.label !== 'CLIENT REPLY',
  treat(exchange, attributes) {
    const { mode, when } = attributes
    if (mode !== 'answer') return cut(mode, when, exchange, attributes)
    const status = statusOf(exchange, attributes)
    const line = lineOf(status, exchange.request, attributes)
    return { ...answered(exchange.request, line, status.word, when), detail: { status: status.word } }
  },
})

function answered(request: RequestHead, line: string, word: string, when: 'instead' | 'after'): Treatment {
  const reply = (backend: 'spared' | 'asked', text = line): Treatment['reply'] & {} => ({
    bytes: Buffer.from(`-${text}\r\n`),
    backend,
    closes: false,
  })
  if (request.verb === 'MULTI') return { reply: reply('spared') }
  if (request.detail.queued !== true || request.verb === 'QUIT')
    return { reply: reply(when === 'after' ? 'asked' : 'spared') }
  if (request.verb === 'DISCARD' || request.verb === 'RESET') return { reply: reply('asked') }
  if (request.verb === 'EXEC') {
    if (when === 'after') return { reply: reply('asked') }
    const isAlone =
      isRedirection(word) || word === 'CLUSTERDOWN' || word === 'TRYAGAIN' || word === 'EXECABORT'
    const said = isAlone ? line : `EXECABORT Transaction discarded because of: ${line}`
    return { requestStage: replacedRequest(discard), reply: reply('asked', said) }
  }
  return { requestStage: replacedRequest(refused), reply: reply('asked') }
}

function cut(
  mode: 'truncate' | 'cut',
  when: 'instead' | 'after',
  exchange: Exchange,
  attributes: RedisErrorAttributes,
): Treatment {
  if (when === 'after')
    return {
      replyStage: (flow) => new CutReply(flow, mode === 'truncate' ? 'value' : 'line', followingOf),
      detail: { mode },
    }
  const status = statusOf(exchange, attributes)
  const line = `-${lineOf(status, exchange.request, attributes)}`
  const bytes =
    mode === 'truncate' ? `$${promised}\r\n${'x'.repeat(sent)}` : line.slice(0, Math.ceil(line.length / 2))
  return { reply: { bytes: Buffer.from(bytes), backend: 'spared', closes: true }, detail: { mode } }
}

/** What follows a line of RESP; of an array or the like its first element. */
function followingOf(line: string): Following {
  if (/^[*~>%|](?:\d*[1-9]\d*|\?)$/.test(line) || line === '$?') return 'line'
  const length = /^[$!=;](\d+)$/.exec(line)
  return length === null ? 'nothing' : Number(length[1])
}

function statusOf({ random }: Exchange, { statuses }: RedisErrorAttributes): RedisStatus {
  return pickWeighted(choicesOf(statuses), random)
}

function choicesOf(statuses: readonly string[]): readonly Weighted<RedisStatus>[] {
  return statuses.map((written) => {
    const { status, weight } = readStatus(written)!
    return { item: status, weight }
  })
}

/** The error without its first byte and without the end of its line. */
function lineOf(status: RedisStatus, request: RequestHead, { target }: RedisErrorAttributes): string {
  if (status.text !== null) return `${status.word} ${status.text}`
  if (isRedirection(status.word)) return `${status.word} ${slotOf(request.path ?? '')} ${target}`
  return `${status.word} ${usualText(status.word)}`
}
