export type ClusterErrorCode =
  | 'CLUSTER_CANNOT_START'
  | 'CLUSTER_EXITED_EARLY'
  | 'CLUSTER_NOT_READY'
  | 'CLUSTER_CANNOT_STOP'
  | 'CLUSTER_STOPPED'
  | 'CLUSTER_MISUSE'

/** Base of this package's errors. Thrown itself for wrong use (`CLUSTER_MISUSE`) and for work after `stop()`. */
export class ClusterError extends Error {
  override readonly name: string = 'ClusterError'
  readonly code: ClusterErrorCode

  constructor(code: ClusterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * Thrown when a service does not come up: the program cannot be run (`CLUSTER_CANNOT_START`), it ended too early
 * (`CLUSTER_EXITED_EARLY`), or it did not say in time that it is ready (`CLUSTER_NOT_READY`).
 */
export class ServiceStartError extends ClusterError {
  override readonly name = 'ServiceStartError'
  readonly service: string
  /** The last lines that the service wrote; empty when there are none. */
  readonly logTail: string

  constructor(
    code: ClusterErrorCode,
    service: string,
    reason: string,
    logTail: string,
    options?: ErrorOptions,
  ) {
    const log = logTail === '' ? '' : `\nIts last output:\n${indent(logTail)}`
    super(code, `cannot start ${service}: ${reason}${log}`, options)
    this.service = service
    this.logTail = logTail
  }
}

/** Thrown by `stop()` when something survives SIGKILL: a process in uninterruptible sleep, or of another user. */
export class ServiceStopError extends ClusterError {
  override readonly name = 'ServiceStopError'
  readonly service: string
  readonly pid: number

  constructor(service: string, pid: number, options?: ErrorOptions) {
    super(
      'CLUSTER_CANNOT_STOP',
      `cannot stop ${service}: its process group ${pid} is still there after SIGKILL; look at it with: ps -g ${pid}`,
      options,
    )
    this.service = service
    this.pid = pid
  }
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
