import { looksLikeTls } from './looks-like-tls.ts'

/** Why requests are not understood: TLS has a remedy, whatever the protocol made of it. @param client its first bytes */
export function whyOpaque(reason: string, client: Buffer | null): string {
  if (client === null || !looksLikeTls(client)) return reason
  return 'the client speaks TLS: write tls:// in front of listen, so that its requests are seen'
}
