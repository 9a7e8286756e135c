/** Why requests are not understood: TLS has a remedy, whatever the protocol made of it. @param client its first bytes */
export function whyOpaque(reason: string, client: Buffer | null): string {
  if (client === null || !looksLikeTls(client)) return reason
  return 'the client speaks TLS: write tls:// in front of listen, so that its requests are seen'
}

/** The record of a client hello, of any version in use (RFC 8446, section 5.1). */
function looksLikeTls(bytes: Buffer): boolean {
  return bytes.length >= 3 && bytes[0] === 0x16 && bytes[1] === 0x03 && bytes[2]! <= 0x04
}
