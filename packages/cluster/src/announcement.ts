import type { Readable } from 'node:stream'

/** An announcement is a line of JSON at most; more than this is something else on the wrong descriptor. */
const maxBytes = 64 * 1024

/** Calls back once with the first line of the stream (without its end), or never. */
export function onFirstLine(stream: Readable, found: (line: string) => void): void {
  let text = ''
  const look = (chunk: string) => {
    text += chunk
    const end = text.indexOf('\n')
    if (end === -1 && text.length < maxBytes) return
    stream.off('data', look)
    // Read on and forget, so that a talkative child is not blocked by a full pipe.
    stream.resume()
    if (end !== -1) found(text.slice(0, end).trimEnd())
  }
  stream.setEncoding('utf8')
  stream.on('data', look)
  stream.on('error', () => {})
}
