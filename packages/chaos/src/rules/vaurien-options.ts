import type { BehaviorAttributes } from './behaviors.ts'

/**
 * Options of behaviors as Vaurien called them, under the names of our attributes; others stay as they are.
 *
 * @param protocol name of the protocol, whose error it is
 */
export function fromVaurien(
  behavior: string,
  protocol: string,
  options: BehaviorAttributes,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => {
      if (key === 'warmup') return ['skip', value]
      if (behavior === 'transient' && key === 'agitate') return ['count', value]
      return [key, value]
    }),
  )
}
