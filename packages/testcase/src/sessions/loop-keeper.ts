/**
 * Keeps the process up while requests run, and not for idle connections: a test that is run as a plain script ends when
 * its last line is done. One timer does it for all; to ref and unref each socket for each request would cost more.
 */
let running = 0
let keeper: NodeJS.Timeout | null = null

export function requestBegins(): void {
  if (running++ > 0) return
  if (keeper === null) keeper = setInterval(() => {}, 2 ** 31 - 1)
  else keeper.ref()
}

export function requestEnds(): void {
  if (--running === 0) keeper!.unref()
}
