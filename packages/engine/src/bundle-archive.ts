import { createHash } from 'node:crypto'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, normalize, sep } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { EngineError } from './errors.ts'

/**
 * A bundle travels as one blob: gzip of a JSON header line and the files' bytes one after the other.
 * Its hash is the SHA-256 of the blob, so equal tests give equal hashes and are sent once.
 */

export interface ArchivedFile {
  /** Relative, with forward slashes. */
  path: string
  bytes: Uint8Array
  /** May be run (scripts of an external runner). */
  executable: boolean
}

/** One test method of a bundle. */
export interface ManifestTest {
  label: string
  /** Key of the module in the bundle's `modules` export. */
  module: string
  className: string
  method: string
  parameters: Record<string, unknown> | null
}

export interface Manifest {
  /** File that exports `modules`; null when there are only data files for an external runner. */
  entry: string | null
  tests: ManifestTest[]
  /** Packages outside the bundle and where they are installed on the machine that made it. */
  links: { name: string; path: string }[]
}

interface Header {
  format: 'loads.bundle/1'
  manifest: Manifest
  files: { path: string; size: number; executable: boolean }[]
}

/** Bytes of all files of a bundle: a session unpacks them in memory. */
export const maxUnpacked = 1024 ** 3

/** `name` or `@scope/name`: what becomes a path below node_modules. */
const packageName = /^(?:@[\w-][\w.-]*\/)?[\w-][\w.-]*$/

export function packBundle(manifest: Manifest, files: ArchivedFile[]): { hash: string; bytes: Uint8Array } {
  const header: Header = {
    format: 'loads.bundle/1',
    manifest,
    files: files.map(({ path, bytes, executable }) => ({ path, size: bytes.length, executable })),
  }
  const blob = Buffer.concat([Buffer.from(JSON.stringify(header) + '\n'), ...files.map((file) => file.bytes)])
  const bytes = gzipSync(blob, { level: 1 })
  return { hash: createHash('sha256').update(bytes).digest('hex'), bytes }
}

/** @throws {EngineError} BUNDLE_INVALID for anything that {@link packBundle} did not make, unsafe paths included */
export function readBundle(bytes: Uint8Array): { manifest: Manifest; files: ArchivedFile[] } {
  try {
    const blob = gunzipSync(bytes, { maxOutputLength: maxUnpacked })
    const end = blob.indexOf(0x0a)
    const header = JSON.parse(blob.subarray(0, end).toString()) as Header
    if (header.format !== 'loads.bundle/1') throw new Error('unknown format')
    const { entry, links } = header.manifest
    if (entry !== null && !isSafe(entry)) throw new Error(`unsafe path '${entry}'`)
    const outside = links.find(({ name }) => !packageName.test(name))
    if (outside !== undefined) throw new Error(`'${outside.name}' is no name of a package`)
    const files: ArchivedFile[] = []
    let offset = end + 1
    for (const { path, size, executable } of header.files) {
      if (!isSafe(path)) throw new Error(`unsafe path '${path}'`)
      if (!Number.isInteger(size) || size < 0 || offset + size > blob.length)
        throw new Error(`'${path}' is cut short`)
      files.push({ path, bytes: blob.subarray(offset, offset + size), executable })
      offset += size
    }
    return { manifest: header.manifest, files }
  } catch (error) {
    throw new EngineError('BUNDLE_INVALID', 4, `the bundle of tests is damaged: ${(error as Error).message}`)
  }
}

/** Writes the files of a bundle below a directory that exists. */
export async function unpackBundle(bytes: Uint8Array, directory: string): Promise<Manifest> {
  const { manifest, files } = readBundle(bytes)
  for (const file of files) {
    const target = join(directory, file.path)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, file.bytes)
    if (file.executable) await chmod(target, 0o755)
  }
  return manifest
}

/** True for a relative path that stays inside and does not shadow the packages that the agent provides. */
export function isSafe(path: string): boolean {
  if (
    path === '' ||
    path.includes('\0') ||
    path.includes('\\') ||
    path.startsWith('/') ||
    /^[a-zA-Z]:/.test(path)
  ) {
    return false
  }
  const clean = normalize(path)
  return (
    clean === path.split('/').join(sep) &&
    !clean.split(sep).includes('..') &&
    clean.split(sep)[0] !== 'node_modules'
  )
}
