/** Whether a client begins with the record of a TLS handshake, of any version in use (RFC 8446, section 5.1). */
export function looksLikeTls(bytes: Buffer): boolean {
  return (
    bytes[0] === 0x16 && (bytes.length < 2 || bytes[1] === 0x03) && (bytes.length < 3 || bytes[2]! <= 0x04)
  )
}
