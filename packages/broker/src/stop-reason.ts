import type { OperatorToBroker } from '@loads-runner/protocol'

export type StopReason = Extract<OperatorToBroker, { type: 'stop' }>['reason']

const exitCodes = { operator: 7, SIGINT: 130, SIGTERM: 143 } as const

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

/** `drain was asked for by ann@desk (SIGINT)`. */
export function noteOfStop(mode: string, reason: StopReason, by: string): string {
  return `${mode} was asked for by ${by}${reason === 'operator' ? '' : ` (${reason})`}`
}
