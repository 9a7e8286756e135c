import type { OutputEnvironment } from '../environment.ts'
import type { Address } from '../exposition/address.ts'

/** Those of the address, or else the token of the environment. */
export function credentials({ authorization }: Address, { env }: OutputEnvironment): Record<string, string> {
  if (authorization !== null) return { authorization }
  const token = env.LOADS_OBSERVE_TOKEN?.trim()
  return token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` }
}
