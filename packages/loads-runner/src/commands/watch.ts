import { watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { reportFailure } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { Interrupts } from '../interrupts.ts'
import { isControlAddress } from '../proxies/proxy-environment.ts'
import { readSettings } from '../read-settings.ts'
import type { Invocation } from '../read-settings.ts'
import type { World } from '../world.ts'
import { runCommand } from './run.ts'

/** Editors write a file in several steps; that is one change. */
const settleMs = 100
const clearScreen = '\x1b[2J\x1b[3J\x1b[H'

/** `--watch`: runs, and runs again whenever a file changes that the run was made from. Ctrl-C between two runs ends. */
export async function watchCommand(world: World, first: Invocation): Promise<number> {
  const changes = new FileChanges()
  let known = false
  let invocation: Invocation | null = first
  let exitCode = 0
  try {
    for (;;) {
      if (invocation !== null) changes.follow(filesOf(world, invocation))
      try {
        if (invocation !== null) {
          const run = await commandOf(invocation)
          exitCode = await run(world, invocation, (inputs) => {
            known = true
            changes.follow(inputs)
          })
        }
      } catch (error) {
        // A test that is being written is wrong for a while.
        const { text, exitCode: code } = reportFailure(error)
        world.stderr.write(text)
        exitCode = code
      }
      if (exitCode === exitCodes.interrupted || exitCode === exitCodes.terminated) return exitCode
      // Tests that have never been bundled have no list of files yet.
      if (!known) changes.followAll(resolve(world.cwd, first.settings.testDir))
      world.stderr.write('watching for changes (Ctrl-C ends)\n')
      const interrupts = new Interrupts(world)
      try {
        await interrupts.race(changes.next())
      } catch {
        return exitCode
      } finally {
        interrupts.close()
      }
      if (world.stdout.isTTY) world.stdout.write(clearScreen)
      invocation = await readSettings(world).catch((error: unknown) => {
        world.stderr.write(reportFailure(error).text)
        return null
      })
    }
  } finally {
    changes.close()
  }
}

/** What the settings come from, and the proxies. */
function filesOf({ cwd }: World, { configFiles, settings: { proxies } }: Invocation): readonly string[] {
  return proxies === null || isControlAddress(proxies) ? configFiles : [...configFiles, resolve(cwd, proxies)]
}

type Run = (
  world: World,
  invocation: Invocation,
  onInputs: (inputs: readonly string[]) => void,
) => Promise<number>

async function commandOf({ settings }: Invocation): Promise<Run> {
  if (settings.replay === null)
    return (world, invocation, onInputs) => runCommand(world, invocation, { onInputs })
  const { replayCommand } = await import('./replay.ts')
  return (world, invocation, onInputs) => replayCommand(world, invocation, onInputs)
}

/** Tells when one of some files changes. Their directories are watched: editors replace files. */
export class FileChanges {
  readonly #watchers = new Map<string, FSWatcher>()
  readonly #files = new Map<string, Set<string>>()
  readonly #whole = new Set<string>()
  #changed = false
  #timer: NodeJS.Timeout | null = null
  #wake: (() => void) | null = null

  /** @param files absolute paths, besides those from before */
  follow(files: readonly string[]): void {
    for (const file of files) {
      const directory = dirname(file)
      const names = this.#files.get(directory) ?? new Set()
      this.#files.set(directory, names.add(basename(file)))
      this.#watch(directory)
    }
  }

  /** Every file of a directory. */
  followAll(directory: string): void {
    this.#whole.add(directory)
    this.#watch(directory)
  }

  /** Resolves after the next change, or at once when one came since the last call. */
  async next(): Promise<void> {
    if (!this.#changed) await new Promise<void>((resolve) => (this.#wake = resolve))
    this.#changed = false
    this.#wake = null
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #watch(directory: string): void {
    if (this.#watchers.has(directory)) return
    try {
      const watcher = watch(directory, (_, name) => this.#saw(directory, name))
      // A directory that goes away takes its watcher along; the others stay.
      watcher.on('error', () => this.#watchers.delete(directory))
      this.#watchers.set(directory, watcher)
    } catch {
      this.#saw(directory, null)
    }
  }

  #saw(directory: string, name: string | null): void {
    const named = name === null || this.#files.get(directory)?.has(name) === true
    if (!named && !this.#whole.has(directory)) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#changed = true
      this.#wake?.()
    }, settleMs)
  }
}
