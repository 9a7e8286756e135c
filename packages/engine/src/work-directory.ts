import { existsSync, rmSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, realpath, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

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
    await sweep(base)
    // The real path, because module URLs and stack traces show it.
    const directory = new WorkDirectory(await realpath(await mkdtemp(join(base, `loads-${process.pid}-`))))
    living.add(directory.path)
    return directory
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

/** Directories of processes that were killed: their pid is in the name. */
async function sweep(base: string): Promise<void> {
  for (const name of await readdir(base).catch(() => [])) {
    const pid = Number(/^loads-(\d+)-\w{6}$/.exec(name)?.[1] ?? NaN)
    if (Number.isNaN(pid) || isAlive(pid)) continue
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
    return true
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
