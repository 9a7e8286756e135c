export type ProtocolErrorCode =
  /** A join string that cannot be used. */
  | 'JOIN_INVALID'
  /** `@FILE` names a file that did not appear. */
  | 'JOIN_NOT_FOUND'
  /** Bytes or values that are no message of this direction. */
  | 'MESSAGE_INVALID'
  /** A message above the size limit. */
  | 'MESSAGE_TOO_LARGE'
  /** A broker's key file that cannot be used. */
  | 'KEYS_INVALID'
  /** A state directory that cannot be read or written. */
  | 'KEYS_UNAVAILABLE'
  /** An event log with a damaged line before its last one. */
  | 'EVENT_LOG_CORRUPT'
  /** An event log that an earlier write error left in an unknown state. */
  | 'EVENT_LOG_BROKEN'

export type ChannelErrorCode =
  /** Nothing listens there, or its name does not resolve. */
  | 'CHANNEL_UNREACHABLE'
  /** Something listens there, but it does not know our keys or we do not know its key. */
  | 'CHANNEL_WRONG_KEY'
  /** The join string is for another role. */
  | 'CHANNEL_WRONG_ROLE'
  /** The two sides speak different versions of the protocol. */
  | 'CHANNEL_VERSION'
  /** Something accepts the connection and then says nothing. */
  | 'CHANNEL_TIMEOUT'
  /** The link broke while dialing. */
  | 'CHANNEL_LOST'
  /** The broker said no for another reason. */
  | 'CHANNEL_REFUSED'
  /** The address to listen on is taken or not ours. */
  | 'CHANNEL_BIND'
  /** The native part of ZeroMQ does not load on this machine. */
  | 'CHANNEL_UNAVAILABLE'

/** Thrown for join strings, messages, key files and event logs that cannot be used. */
export class ProtocolError extends Error {
  readonly code: ProtocolErrorCode | ChannelErrorCode

  constructor(code: ProtocolErrorCode | ChannelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ProtocolError'
    this.code = code
  }
}

/** Thrown when a channel cannot be opened. */
export class ChannelError extends ProtocolError {
  declare readonly code: ChannelErrorCode
  /** `host:port` of the other side, or the address to listen on. */
  readonly address: string

  constructor(code: ChannelErrorCode, address: string, message: string, options?: ErrorOptions) {
    super(code, message, options)
    this.name = 'ChannelError'
    this.address = address
  }
}
