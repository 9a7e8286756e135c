import { existsSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, realpath, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { unpackBundle, type Manifest } from './bundle-archive.ts'
import { EngineError } from './errors.ts'

/**
 * The directory that a session runs in: the bundle unpacked, with our own packages linked into `node_modules`, so that
 * `import 'loads-runner'` in a test finds the very copy that runs it. Gone when the session is.
 */
export class WorkDirectory {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** @param parent where to make it; the system's temporary directory without one */
  static async create(parent: string | null): Promise<WorkDirectory> {
    const base = parent ?? tmpdir()
    await mkdir(base, { recursive: true })
    await removeAbandoned(base)
    const made = await mkdtemp(join(base, `loads-${pidSpace}-${process.pid}-`))
    // The real path, because module URLs and stack traces show it.
    const directory = new WorkDirectory(await realpath(made))
    living.add(directory.path)
    return directory
  }

  /**
   * Makes one with the files of a bundle.
   *
   * @throws {EngineError} BUNDLE_INVALID; WORK_DIRECTORY when it cannot be made or filled
   */
  static async unpack(
    bundle: Uint8Array | null,
    parent: string | null,
  ): Promise<{ directory: WorkDirectory; manifest: Manifest }> {
    let directory: WorkDirectory | null = null
    try {
      directory = await WorkDirectory.create(parent)
      await directory.linkOurPackages()
      let manifest: Manifest = { entry: null, tests: [], links: [] }
      if (bundle !== null) manifest = await unpackBundle(bundle, directory.path)
      for (const { name, path } of manifest.links) await directory.link(name, path)
      return { directory, manifest }
    } catch (error) {
      await directory?.remove().catch(() => {})
      if (error instanceof EngineError) throw error
      const text = `the tests cannot be written to ${parent ?? tmpdir()}: ${(error as Error).message}; make room, or choose another directory with --work-dir`
      throw new EngineError('WORK_DIRECTORY', 4, text, { cause: error })
    }
  }

  /** Makes `import name` work in the directory. Does nothing where the package is not installed. */
  async link(name: string, target: string): Promise<void> {
    const link = join(this.path, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(target, link, 'dir')
  }

  async linkOurPackages(): Promise<void> {
    for (const name of ['loads-runner', '@loads-runner/testcase']) {
      const target = packageDirectory(name)
      if (target !== null) await this.link(name, target)
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 })
    living.delete(this.path)
  }
}

const living = new Set<string>()

// Whatever ends the process, short of SIGKILL, its directories go with it.
process.on('exit', () => {
  for (const path of living) rmSync(path, { recursive: true, force: true })
})

/** Where this process's pid means something: containers may share a directory and number their processes alike. */
const pidSpace = process.platform === 'linux' ? namespaceNumber() : '0'

function namespaceNumber(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
  } catch {
    return '0'
  }
}

/**
 * Removes the directories of processes that were killed: their pid is in the name.
 *
 * @param parent where they are; the system's temporary directory without one
 */
export async function removeAbandoned(parent: string | null): Promise<void> {
  const base = parent ?? tmpdir()
  for (const name of await readdir(base).catch(() => [])) {
    const [, space, pid] = /^loads-(\d+)-(\d+)-\w{6}$/.exec(name) ?? []
    if (space !== pidSpace || isAlive(Number(pid))) continue
    const path = join(base, name)
    const ours = await stat(path).then(
      (info) => info.uid === process.getuid?.(),
      () => false,
    )
    if (ours) await rm(path, { recursive: true, force: true }).catch(() => {})
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !isZombie(pid)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Looked for from here and from the running program, whichever package manager laid them out. */
function packageDirectory(name: string): string | null {
  for (const from of [import.meta.url, process.argv[1]]) {
    if (from === undefined) continue
    for (const modules of createRequire(from).resolve.paths(name) ?? []) {
      const directory = join(modules, name)
      if (existsSync(join(directory, 'package.json'))) return directory
    }
  }
  return null
}

/** It has ended, and its parent has not noticed yet. */
function isZombie(pid: number): boolean {
  if (process.platform !== 'linux') return false
  try {
    // The name of the program, in brackets, may hold anything; the state comes after it.
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}
