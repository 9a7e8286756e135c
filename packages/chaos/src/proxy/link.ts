import type { Direction } from '../direction.ts'
import type { RuleChange } from '../rules/rule-set.ts'

/** One direction of one connection: bytes go through the stages of the rules that hit it, in order of their creation. */
export declare class Link {
  readonly direction: Direction
  /** Bytes of the sender, lent until it returns. */
  write(bytes: Buffer): void
  end(): void
  /** Applies changes of rules at once. */
  apply(changes: readonly RuleChange[]): void
  /** Bytes that something outside of the stages holds back. */
  hold(bytes: Buffer): Buffer
  release(length: number): void
  close(): void
}
