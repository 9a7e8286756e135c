import { abort } from './abort.ts'
import { blackout } from './blackout.ts'
import type { FaultDefinition } from './definition.ts'
import { delay } from './delay.ts'
import { dummy } from './dummy.ts'
import { hang } from './hang.ts'
import { transient } from './transient.ts'

/** Faults that work on a request and its reply. */
export const requestFaults = [
  dummy,
  delay,
  hang,
  blackout,
  transient,
  abort,
] as unknown as readonly FaultDefinition[]
