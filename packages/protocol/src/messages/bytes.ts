import * as v from 'valibot'

/** Binary content: sent as any Uint8Array, received as a plain one that views the frame it came in. */
export const bytes = v.custom<Uint8Array>(
  (value) => value instanceof Uint8Array,
  'Invalid type: Expected bytes',
)
