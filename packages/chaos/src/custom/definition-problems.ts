const unitKinds = ['connection', 'request', 'chunk']
const places = ['stage', 'treat', 'connect']

/** What is wrong with something that wants to be a fault; null: nothing. Its author may not have had types. */
export function problemOfFault(value: Readonly<Record<string, unknown>>): string | null {
  const { type, summary, attributes, units } = value
  if (typeof type !== 'string' || !/^[a-z][a-z0-9_]{0,49}$/.test(type))
    return 'type must be a word of lower case letters, digits and _'
  if (typeof summary !== 'string' || summary === '') return 'summary must be a line of text'
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes))
    return 'attributes must be an object; without any it is {}'
  for (const [name, attribute] of Object.entries(attributes as object))
    if (!isAttribute(attribute))
      return `attribute ${name} must be made by whole, milliseconds, share, flag, text or the like`
  if (!Array.isArray(units) || units.length === 0 || !units.every((unit) => unitKinds.includes(String(unit))))
    return `units must be a list of ${unitKinds.join(', ')}, the default first`
  const there = places.filter((place) => value[place] !== undefined)
  if (there.length !== 1 || typeof value[there[0]!] !== 'function')
    return `it must have one function of ${places.join(', ')}, and has ${there.join(' and ') || 'none'}`
  if (there[0] !== 'treat' && units.some((unit) => unit !== 'connection'))
    return `the unit of a fault with ${there[0]!} is the connection`
  return null
}

/** What is wrong with something that wants to be a protocol; null: nothing. */
export function problemOfProtocol(value: Readonly<Record<string, unknown>>): string | null {
  const { name, summary, error, open } = value
  if (typeof name !== 'string' || !/^[a-z][a-z0-9_-]{0,49}$/.test(name))
    return 'name must be a word of lower case letters, digits, - and _'
  if (typeof summary !== 'string' || summary === '') return 'summary must be a line of text'
  if (typeof error !== 'object' || error === null) return 'error must be the fault that error means with it'
  const problem = problemOfFault(error as Record<string, unknown>)
  if (problem !== null) return `its error is no fault: ${problem}`
  if (open !== null && typeof open !== 'function')
    return 'open must be a function that reads a connection, or null'
  return null
}

function isAttribute(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { read, show, allowed, help } = value as Record<string, unknown>
  return (
    typeof read === 'function' &&
    typeof show === 'function' &&
    typeof allowed === 'string' &&
    typeof help === 'string' &&
    'initial' in value
  )
}
