/** What a proxy changes in headers. Headers are raw lists, as Node gives them: name, value, name, value. */

/** They belong to a connection and not to the request. */
const hopByHop =
  /^(?:connection|keep-alive|proxy-connection|proxy-authorization|proxy-authenticate|te|trailer)$/i

/** Headers of a request as the target is to see them; upgrades keep theirs. */
export function headersFor(
  raw: readonly string[],
  target: URL | null,
  url: URL,
  ownHost: string | undefined,
): string[] {
  const upgrade = raw.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'upgrade')
  const kept = toTarget(raw, target, url, ownHost)
  return upgrade ? [...kept, 'Connection', 'Upgrade'] : kept
}

/** Where we stand for a target, it must not learn our name: it would send the user there, or refuse. */
export function toTarget(
  raw: readonly string[],
  target: URL | null,
  url: URL,
  ownHost: string | undefined,
): string[] {
  const headers: string[] = ['Host', url.host]
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]!
    const value = raw[index + 1]!
    const low = name.toLowerCase()
    if (hopByHop.test(low) || low === 'host') continue
    const isOurs = target !== null && (low === 'origin' || low === 'referer') && ownHost !== undefined
    headers.push(name, isOurs ? value.replace(`http://${ownHost}`, target.origin) : value)
  }
  return headers
}

/** Headers of an answer as the user is to see them: redirects and cookies stay with us where we stand for a target. */
export function fromTarget(
  raw: readonly string[],
  target: URL | null,
  ownHost: string | undefined,
): string[] {
  const headers: string[] = []
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]!
    let value = raw[index + 1]!
    const low = name.toLowerCase()
    if (hopByHop.test(low)) continue
    if (target !== null) {
      // We speak http, and under another name.
      if (low === 'strict-transport-security') continue
      if (low === 'set-cookie') value = value.replaceAll(/;\s*(?:domain=[^;]*|secure)(?=;|$)/gi, '')
      if (low === 'set-cookie') value = value.replaceAll(/;\s*samesite=none(?=;|$)/gi, '')
      if (low === 'location' && ownHost !== undefined && isOf(target, value))
        value = value.replace(/^https?:\/\/[^/?#]*/i, `http://${ownHost}`)
    }
    headers.push(name, value)
  }
  return headers
}

function isOf(target: URL, location: string): boolean {
  return /^https?:/i.test(location) && URL.canParse(location) && new URL(location).host === target.host
}
