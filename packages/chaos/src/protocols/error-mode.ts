import { oneOf, whole } from '../attributes.ts'
import { limitData } from '../faults/limit-data.ts'
import type { Rule } from '../rules/rule.ts'
import type { Treatment } from './exchange.ts'

/**
 * How an error comes about. instead: the backend is not asked. after: it does its work, and its reply is dropped. cut: its reply
 * breaks off, and the connection ends.
 */
export type ErrorMode = 'instead' | 'after' | 'cut'

export const errorMode = oneOf<ErrorMode>(['instead', 'after', 'cut'], {
  initial: 'instead',
  help: 'the backend is not asked; or does its work and the client is told an error; or its reply is cut',
})

export const cutBytes = whole({ initial: 5, help: 'with mode cut: bytes of the reply that pass' })

/** The backend's reply ends after so many bytes, and with it the connection. */
export function cutReply(bytes: number): Treatment {
  return { replyStage: (flow) => limitData.stage!(flow, { bytes }), detail: { bytes } }
}

/** Whether whoever asked for the fault named the verbs that it is for: then it is for those, whatever its code. */
export function namesVerbs(rule: Pick<Rule, 'match'>): boolean {
  return rule.match?.verb !== undefined
}
