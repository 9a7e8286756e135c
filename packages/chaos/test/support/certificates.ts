import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Signed {
  /** Paths of PEM files. */
  cert: string
  key: string
}

/** An authority of a test and what it signed, made by openssl in a directory of its own. */
export class Certificates implements AsyncDisposable {
  readonly directory: string
  /** Path of the authority's PEM. */
  readonly ca: string
  readonly #caKey: string

  private constructor(directory: string) {
    this.directory = directory
    this.ca = join(directory, 'ca.pem')
    this.#caKey = join(directory, 'ca.key')
  }

  static async make(): Promise<Certificates> {
    const made = new Certificates(await mkdtemp(join(tmpdir(), 'certificates-')))
    const subject = ['-subj', '/CN=authority of a test', '-days', '2']
    await run('openssl', [...newKey, '-x509', ...subject, '-keyout', made.#caKey, '-out', made.ca])
    return made
  }

  /** @param names as openssl writes them: DNS:localhost,IP:127.0.0.1 */
  async sign(name: string, names: string): Promise<Signed> {
    const [cert, key, request, extensions] = ['pem', 'key', 'csr', 'ext'].map((end) =>
      join(this.directory, `${name}.${end}`),
    ) as [string, string, string, string]
    await writeFile(extensions, `subjectAltName=${names}\n`)
    await run('openssl', [...newKey, '-subj', `/CN=${name}`, '-keyout', key, '-out', request])
    const authority = ['-CA', this.ca, '-CAkey', this.#caKey, '-CAcreateserial', '-days', '2']
    await run('openssl', ['x509', '-req', '-in', request, ...authority, '-extfile', extensions, '-out', cert])
    return { cert, key }
  }

  read(path: string): Promise<string> {
    return readFile(path, 'utf8')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true })
  }
}

const newKey = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
