/** What users of a run know of its proxies: in their environment, so that users in any language do. */
export interface KnownProxies {
  /** Address of the control server. */
  control: string
  /** `host:port` that clients connect to, by name. */
  addresses: Readonly<Record<string, string>>
  /** Several users go through them: none of these may change them. */
  shared: boolean
}

export const proxiesVariable = 'LOADS_PROXIES'
export const tokenVariable = 'LOADS_PROXY_TOKEN'

/** Null: there are none, or the text is not ours. */
export function readKnownProxies(text: string | undefined): KnownProxies | null {
  if (text === undefined || text === '') return null
  try {
    const { control, addresses, shared } = JSON.parse(text) as Partial<KnownProxies>
    if (typeof control !== 'string' || typeof addresses !== 'object' || addresses === null) return null
    return { control, addresses, shared: shared === true }
  } catch {
    return null
  }
}

/** `--proxies` names a control server, and not a file. */
export function isControlAddress(text: string): boolean {
  return /^https?:\/\//.test(text)
}
