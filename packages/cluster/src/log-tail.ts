import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** Bytes that are kept: enough for a stack trace, small enough for a thousand services. */
const keptBytes = 16 * 1024
const keptLines = 20

/** The end of an endless text, in bounded memory. */
export class LogTail {
  #chunks: Buffer[] = []
  #size = 0

  add(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    while (this.#size - this.#chunks[0]!.length >= keptBytes) this.#size -= this.#chunks.shift()!.length
  }

  toString(): string {
    return lastLines(Buffer.concat(this.#chunks))
  }
}

/** The end of a log file; empty when it cannot be read. */
export function tailOfFile(file: string): string {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(descriptor)
    const buffer = Buffer.alloc(Math.min(size, keptBytes))
    const read = readSync(descriptor, buffer, 0, buffer.length, size - buffer.length)
    return lastLines(buffer.subarray(0, read))
  } finally {
    closeSync(descriptor)
  }
}

function lastLines(bytes: Buffer): string {
  const end = bytes.subarray(-keptBytes).toString('utf8').trimEnd()
  return end.split('\n').slice(-keptLines).join('\n')
}
