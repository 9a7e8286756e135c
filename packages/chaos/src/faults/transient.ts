import { whole } from '../attributes.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { AttributeTable } from '../attributes.ts'
import { defineFault, type FaultDefinition } from './definition.ts'

interface TransientAttributes {
  agitate: number
}

const attributes: AttributeTable<TransientAttributes> = {
  agitate: whole({ initial: 1, help: 'units that get the error, of the whole proxy; then all is well' }),
}

/** As it is listed, without the attributes of the error of a protocol. */
export const transient = defineFault<TransientAttributes>({
  type: 'transient',
  summary: "the protocol's error for the first units, then no more until it is added anew",
  attributes,
  units: ['request', 'connection', 'chunk'],
  count: ({ agitate }) => agitate,
})

const known = new WeakMap<Protocol, FaultDefinition>()

/** What transient means on a protocol: its error, with the error's own attributes, for the first units. */
export function transientOf(protocol: Protocol): FaultDefinition {
  let definition = known.get(protocol)
  if (definition === undefined) {
    const error = protocol.error as unknown as FaultDefinition<TransientAttributes>
    definition = {
      ...error,
      type: transient.type,
      summary: transient.summary,
      attributes: { ...error.attributes, ...attributes },
      count: ({ agitate }: TransientAttributes) => agitate,
    } as unknown as FaultDefinition
    known.set(protocol, definition)
  }
  return definition
}
