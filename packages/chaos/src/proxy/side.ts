/** One socket of a connection. */
export declare class Side {
  /** Bytes are lent until it returns. */
  write(bytes: Buffer): void
  /** FIN, after all that was written. */
  end(): void
  reset(): void
  destroy(): void
  pause(): void
  resume(): void
}
