import { readFile } from 'node:fs/promises'
import { ChaosError } from '../errors.ts'

/**
 * A certificate or key as it was given: the PEM itself, or the path of a file with it.
 *
 * @param what for the error: "cert", "key"
 * @throws {ChaosError} CHAOS_CERTIFICATE
 */
export async function readPem(given: string, what: string): Promise<string> {
  if (given.includes('-----BEGIN ')) return given
  let text: string
  try {
    text = await readFile(given, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ChaosError(
      'CHAOS_CERTIFICATE',
      `${what} of tls must be PEM or the path of a file with it: ${reason}`,
      { cause: error },
    )
  }
  if (text.includes('-----BEGIN ')) return text
  throw new ChaosError(
    'CHAOS_CERTIFICATE',
    `${what} of tls: ${given} holds no PEM; convert it, for instance with openssl x509 -inform der`,
  )
}
