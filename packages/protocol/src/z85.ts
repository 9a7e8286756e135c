/** Z85, ZeroMQ's text form of binary keys (RFC 32/Z85): 4 bytes are 5 characters of base 85. */
const digits = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'

/** @param bytes A multiple of 4 bytes. */
export function z85Encode(bytes: Uint8Array): string {
  let text = ''
  for (let offset = 0; offset < bytes.length; offset += 4) {
    let value = 0
    for (let i = 0; i < 4; i++) value = value * 256 + bytes[offset + i]!
    let group = ''
    for (let i = 0; i < 5; i++) {
      group = digits[value % 85]! + group
      value = Math.floor(value / 85)
    }
    text += group
  }
  return text
}

/** Returns null for text that is not Z85. */
export function z85Decode(text: string): Uint8Array | null {
  if (text.length % 5 !== 0) return null
  const bytes = new Uint8Array((text.length / 5) * 4)
  for (let group = 0; group < text.length / 5; group++) {
    let value = 0
    for (let i = 0; i < 5; i++) {
      const digit = digits.indexOf(text[group * 5 + i]!)
      if (digit < 0) return null
      value = value * 85 + digit
    }
    if (value > 0xffffffff) return null
    for (let i = 3; i >= 0; i--) {
      bytes[group * 4 + i] = value % 256
      value = Math.floor(value / 256)
    }
  }
  return bytes
}
