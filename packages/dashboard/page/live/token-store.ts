/** What changes are asked for with. It lives as long as the tab. */

const key = 'loads-token'

/**
 * The token of an address like `/#token=...` or `/#/runs/7?token=...`, and the address without it: tokens must not stay
 * in the address bar, in the history or in pictures of the screen. Pure.
 */
export function takeToken(hash: string): { token: string | null; rest: string } {
  const found = /(^#|[?&])token=([^&]*)(&|$)/.exec(hash)
  if (found === null) return { token: null, rest: hash }
  const [whole, before, value = '', after] = found
  const kept = before === '#' ? '#' : after === '&' ? before : ''
  const rest = hash.slice(0, found.index) + kept + hash.slice(found.index + whole.length)
  return { token: decoded(value) || null, rest: rest === '#' ? '' : rest }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export class TokenStore {
  /** For browsers that keep nothing. */
  #token: string | null = null

  get token(): string | null {
    try {
      return sessionStorage.getItem(key) ?? this.#token
    } catch {
      return this.#token
    }
  }

  set token(token: string | null) {
    this.#token = token
    try {
      if (token === null) sessionStorage.removeItem(key)
      else sessionStorage.setItem(key, token)
    } catch {
      // Storage is switched off: it is asked for again in the next tab.
    }
  }
}
