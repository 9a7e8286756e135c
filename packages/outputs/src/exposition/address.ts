import { OutputError } from '../errors.ts'

/** Where something is sent or asked. What gives access is kept apart from what may be shown. */
export interface Address {
  /** Without user, password and query. */
  readonly url: string
  /** Value of the header `authorization`; null without credentials in the address. */
  readonly authorization: string | null
}

/**
 * Takes user and password out of an address.
 *
 * @param what `output otlp`: begins the message
 * @throws {OutputError} OUTPUT_ARGUMENTS; the message has no password in it
 */
export function splitAddress(what: string, text: string): Address {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new OutputError('OUTPUT_ARGUMENTS', `${what}: "${text.replace(/\/\/.*@/s, '//')}" is no address`)
  }
  const { username, password } = url
  url.username = ''
  url.password = ''
  url.search = ''
  url.hash = ''
  const basic = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')
  return { url: url.href, authorization: username === '' && password === '' ? null : `Basic ${basic}` }
}

/** `a=1&b=x+y`, in order; unlike in forms a plus is a plus. */
export function queryOptions(search: string): [name: string, value: string][] {
  return search
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=')
      return equals < 0
        ? [decoded(part), '']
        : [decoded(part.slice(0, equals)), decoded(part.slice(equals + 1))]
    })
}

/** What is not encoded as it should be is meant as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
