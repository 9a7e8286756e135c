/** Whether a client begins with TLS: a record of a handshake, of any version in use. */
export function looksLikeTls(bytes: Buffer): boolean {
  return bytes[0] === 0x16 && (bytes.length < 2 || bytes[1] === 0x03)
}
