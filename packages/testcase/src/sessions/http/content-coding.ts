import * as zlib from 'node:zlib'
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'
import { BodyError } from '../../errors.ts'

/** In Node from 22.15 and 23.8 on. */
const { zstdDecompressSync } = zlib as {
  zstdDecompressSync?: (body: Buffer, options: { maxOutputLength: number }) => Buffer
}

/** What sessions ask for, and {@link decodeBody} undoes. */
export const acceptedCodings = `gzip, deflate, br${zstdDecompressSync === undefined ? '' : ', zstd'}`

/**
 * Undoes the codings of a Content-Encoding header, the last one first.
 *
 * @param maxBytes longest result of each step
 * @throws {BodyError} damaged, longer than that, or a coding that was not asked for
 */
export function decodeBody(body: Buffer, codings: string, maxBytes: number): Buffer {
  let decoded = body
  for (const coding of codings.toLowerCase().split(',').reverse()) {
    try {
      decoded = decodeOne(decoded, coding.trim(), maxBytes)
    } catch (cause) {
      if (cause instanceof BodyError) throw cause
      throw new BodyError(`the body is no valid ${coding.trim()}: ${(cause as Error).message}`, { cause })
    }
  }
  return decoded
}

function decodeOne(body: Buffer, coding: string, maxOutputLength: number): Buffer {
  if (coding === 'zstd' && zstdDecompressSync !== undefined) {
    return zstdDecompressSync(body, { maxOutputLength })
  }
  switch (coding) {
    case '':
    case 'identity':
      return body
    case 'gzip':
    case 'x-gzip':
      return gunzipSync(body, { maxOutputLength })
    case 'br':
      return brotliDecompressSync(body, { maxOutputLength })
    case 'deflate':
      // By the standard in zlib's wrapper, by old habit without it; the wrapper's first byte tells.
      return (body[0]! & 0x0f) === 8
        ? inflateSync(body, { maxOutputLength })
        : inflateRawSync(body, { maxOutputLength })
    default:
      throw new BodyError(
        `the body has the content coding "${coding}", which is not supported (asked for: ${acceptedCodings})`,
      )
  }
}
