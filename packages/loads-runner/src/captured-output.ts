/** A stream whose `write` can be replaced. */
type Writable = Pick<NodeJS.WriteStream, 'write'>

/**
 * Takes what is written to these streams from now on, line by line: users' code that runs in our process must break
 * neither the display nor the JSON on standard output.
 *
 * @returns what gives the streams back; the last line, if it has no end, is handed over first
 */
export function captureLines(streams: readonly Writable[], onLine: (line: string) => void): () => void {
  const undo = streams.map((stream) => {
    const { write } = stream
    const decoder = new TextDecoder()
    let rest = ''
    stream.write = (chunk: Uint8Array | string, ...more: unknown[]) => {
      const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      lines.forEach(onLine)
      const written = more.find((each) => typeof each === 'function')
      if (written !== undefined) queueMicrotask(() => written())
      return true
    }
    return () => {
      stream.write = write
      if (rest !== '') onLine(rest)
    }
  })
  return () => undo.forEach((each) => each())
}
