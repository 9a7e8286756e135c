import { oneOf, whole, words, type AttributeTable } from '../attributes.ts'
import { limitData } from '../faults/limit-data.ts'
import type { FaultContext } from '../faults/definition.ts'
import type { Random } from '../random.ts'
import type { Rule } from '../rules/rule.ts'
import type { Treatment } from './exchange.ts'
import { pickWeighted } from './weighted.ts'

/** Attributes of errors that are told by a code: those of MySQL, Postgres and SMTP. */
export interface CodedErrorAttributes {
  statuses: readonly string[]
  when: 'instead' | 'after'
  mode: 'answer' | 'cut'
  bytes: number
}

/** The check of a fault that only one protocol can have. */
export function needsProtocol(name: string): (attributes: unknown, context: FaultContext) => string | null {
  return (_attributes, { protocol }) =>
    protocol.name === name ? null : `it needs the protocol ${name}, and this one is ${protocol.name}`
}

/** One of `statuses`: `1205`, `1205/HY000`, `1205:3 some text`. */
export interface CodedStatus {
  readonly code: string
  /** What stands behind a slash. */
  readonly qualifier: string | null
  readonly weight: number
  /** Null: the usual one. */
  readonly text: string | null
}

/** @param isCode whether a code, and what stands behind its slash, can be said in this protocol */
export function codedErrorAttributes(
  initial: readonly string[],
  allowed: string,
  isCode: (code: string, qualifier: string | null) => boolean,
): AttributeTable<CodedErrorAttributes> {
  return {
    statuses: words({
      initial,
      help: 'which error where it fits, each as likely as its weight: CODE, CODE:3, CODE some text',
      allowed,
      check(word) {
        const status = readStatus(word)
        return status !== undefined && isCode(status.code, status.qualifier)
      },
    }),
    when: oneOf(['instead', 'after'], {
      initial: 'instead',
      help: 'the server is not asked, or does its work and the client does not learn of it',
    }),
    mode: oneOf(['answer', 'cut'], {
      initial: 'answer',
      help: "an error; or the server's own reply breaks off, and the connection ends",
    }),
    bytes: whole({ initial: 5, help: 'with mode cut: how much of the reply passes' }),
  }
}

/** Those whose code `fits`; all of them where none does. One of them by weight. */
export function pickStatus(
  written: readonly string[],
  fits: (status: CodedStatus) => boolean,
  random: Random,
): CodedStatus {
  const statuses = written.map((each) => readStatus(each)!)
  const fitting = statuses.filter(fits)
  const choices = fitting.length > 0 ? fitting : statuses
  return pickWeighted(
    choices.map((item) => ({ item, weight: item.weight })),
    random,
  )
}

export function hasFitting(written: readonly string[], fits: (status: CodedStatus) => boolean): boolean {
  return written.some((each) => fits(readStatus(each)!))
}

/** The server's reply ends after so many bytes, and with it the connection. */
export function cutReply(bytes: number): Treatment {
  return { replyStage: (flow) => limitData.stage!(flow, { bytes }), detail: { mode: 'cut' } }
}

/** Whether whoever asked for the fault named the verbs that it is for: then it is for those, whatever its code. */
export function namesVerbs(rule: Pick<Rule, 'match'>): boolean {
  return rule.match?.verb !== undefined
}

function readStatus(written: string): CodedStatus | undefined {
  const found = /^([\dA-Z]{1,5})(?:\/([\dA-Z]{1,8}))?(?::(\d{1,6}))?(?: ([^\r\n\0]{1,400}))?$/.exec(written)
  if (found === null) return undefined
  const [, code = '', qualifier = null, weight = '1', text = null] = found
  return Number(weight) === 0 ? undefined : { code, qualifier, weight: Number(weight), text }
}
