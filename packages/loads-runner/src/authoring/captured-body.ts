import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'

/** What is kept of one body, in bytes. */
const mostBytes = 1024 * 1024
/** What a compressed one may become. */
const mostDecoded = 4 * 1024 * 1024

/** The bytes of a body as they pass; of a large one nothing. */
export class Captured {
  #chunks: Buffer[] = []
  size = 0
  /** It was too large. */
  cut = false

  add(chunk: Buffer): void {
    this.size += chunk.length
    if (this.size <= mostBytes) this.#chunks.push(chunk)
    else {
      this.cut = true
      this.#chunks = []
    }
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  /** As text; null where it is too large or compressed in a way that is not known. */
  text(coding: string): string | null {
    if (this.cut) return null
    const options = { maxOutputLength: mostDecoded }
    try {
      switch (coding.trim().toLowerCase()) {
        case '':
        case 'identity':
          return this.bytes().toString('utf8')
        case 'gzip':
        case 'x-gzip':
          return gunzipSync(this.bytes(), options).toString('utf8')
        case 'deflate':
          return inflateSync(this.bytes(), options).toString('utf8')
        case 'br':
          return brotliDecompressSync(this.bytes(), options).toString('utf8')
        default:
          return null
      }
    } catch {
      return null
    }
  }
}
