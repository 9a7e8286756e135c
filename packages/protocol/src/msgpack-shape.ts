/** Deepest nesting of a message. */
export const maxDepth = 64

/**
 * Tells whether bytes are exactly one well-formed MessagePack value without extension types. A decoder allocates
 * an array as soon as it reads its length, so a few bytes that promise many elements cost gigabytes. Here every
 * promised element must still have a byte to be made of, which bounds a decoder's memory by the size of its input.
 *
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
export function isWellFormed(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = bytes.length
  /** Values still to come in each open array or map, and in all of them together. */
  const open = [1]
  let promised = 1
  let at = 0

  while (open.length > 0) {
    const level = open.length - 1
    if (open[level] === 0) {
      open.pop()
      continue
    }
    if (at >= length) return false
    open[level]! -= 1
    promised -= 1

    const head = bytes[at]!
    at += 1
    let skip = 0
    let children = 0
    if (head <= 0x7f || head >= 0xe0) continue
    else if (head <= 0x8f) children = 2 * (head & 0x0f)
    else if (head <= 0x9f) children = head & 0x0f
    else if (head <= 0xbf) skip = head & 0x1f
    else {
      const width = widths[head - 0xc0]!
      if (width < 0 || at + width > length) return false
      const isSized = (head >= 0xc4 && head <= 0xc6) || head >= 0xd9
      if (!isSized) skip = width
      else {
        const size = width === 1 ? view.getUint8(at) : width === 2 ? view.getUint16(at) : view.getUint32(at)
        at += width
        if (head <= 0xdb) skip = size
        else children = head <= 0xdd ? size : 2 * size
      }
    }
    at += skip
    promised += children
    if (at > length || promised > length - at) return false
    if (children > 0) {
      if (open.length > maxDepth) return false
      open.push(children)
    }
  }
  return at === length
}

/** Bytes after the heads 0xc0 to 0xdf: of the value itself, or of its size. -1: not allowed in a message. */
const widths = [
  0, -1, 0, 0, 1, 2, 4, -1, -1, -1, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, -1, -1, -1, -1, -1, 1, 2, 4, 2, 4, 2, 4,
]
