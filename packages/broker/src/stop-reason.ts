import type { OperatorToBroker } from '@loads-runner/protocol'

export type StopReason = Extract<OperatorToBroker, { type: 'stop' }>['reason']

const exitCodes = { operator: 7, SIGINT: 130, SIGTERM: 143, proxies: 4 } as const

/**
 * What a stop means for the verdict.
 *
 * @param couldFinish it made load, and its users could finish: a run that is complete then is judged by its figures
 * @returns null where the stop has no part in it
 */
export function exitCodeOfStop(reason: StopReason, couldFinish: boolean): number | null {
  if (reason !== 'complete') return exitCodes[reason]
  return couldFinish ? null : exitCodes.operator
}

/** What the verdict says of it. */
export function blameOfStop(reason: StopReason): string {
  if (reason === 'proxies') return 'the proxies of the run have ended before it'
  return reason === 'operator' ? 'stopped by an operator' : `stopped by ${reason}`
}

/** `drain was asked for by ann@desk (SIGINT)`. */
export function noteOfStop(mode: string, reason: StopReason, by: string): string {
  return `${mode} was asked for by ${by}${reason === 'operator' ? '' : ` (${reason})`}`
}
