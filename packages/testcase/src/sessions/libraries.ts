import { createRequire } from 'node:module'
import type * as ToughCookie from 'tough-cookie'
import type * as Undici from 'undici'
import type * as Ws from 'ws'

/**
 * The libraries behind the sessions, loaded when they are first used: a process that only looks at test classes, or a
 * run without WebSockets or cookies, does not wait for them.
 */
const require = createRequire(import.meta.url)

let loadedUndici: typeof Undici | null = null
let loadedWs: typeof Ws | null = null
let loadedCookies: typeof ToughCookie | null = null

export function undici(): typeof Undici {
  return (loadedUndici ??= require('undici') as typeof Undici)
}

export function ws(): typeof Ws {
  return (loadedWs ??= require('ws') as typeof Ws)
}

export function toughCookie(): typeof ToughCookie {
  return (loadedCookies ??= require('tough-cookie') as typeof ToughCookie)
}

/** Loads what nearly every test uses, so that the first hit does not pay for it. */
export function warmUpSessions(): void {
  undici()
}
