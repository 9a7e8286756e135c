import {
  checkNote,
  proxiesFor,
  type FaultScope,
  type RunHookContext,
  type Tags,
  type TestClass,
} from '@loads-runner/testcase'
import { unpackBundle, type ManifestTest } from './bundle-archive.ts'
import { lendEnvironment } from './environment.ts'
import { EngineError } from './errors.ts'
import { classesOf } from './select-tests.ts'
import { Notes, notesLeftOut } from './notes.ts'
import type { LogLevel, SessionSpec } from './session-spec.ts'
import { classKey, importModules, ownStack } from './test-modules.ts'
import { WorkDirectory } from './work-directory.ts'

/** What setUpRun returns may be this long as JSON text. */
const maxDataBytes = 1024 * 1024

type ConductedSpec = Pick<SessionSpec, 'seed' | 'tests' | 'params' | 'target' | 'env' | 'secrets'>

/** Who hears what run-scoped code has to say of the run. */
export interface ConductorListener {
  /** 20 per second at most, cut to the limits of a note. */
  note(text: string, tags: Tags): void
  log(level: LogLevel, text: string): void
}

const nobody: ConductorListener = { note: () => {}, log: () => {} }

/** Runs the run-scoped code of test classes, once per run, in the process that started it. */
export class Conductor {
  readonly #directory: WorkDirectory
  readonly #classes: ReadonlyMap<string, TestClass>
  readonly #run: Omit<RunHookContext, 'data' | 'proxies'>
  /** Faults that run-scoped code began and did not end. */
  readonly #faults: FaultScope[] = []
  readonly #giveBack: () => void
  readonly #notes: Notes
  #data: Record<string, unknown> = {}

  private constructor(
    directory: WorkDirectory,
    classes: Map<string, TestClass>,
    run: Omit<RunHookContext, 'data' | 'annotate' | 'proxies'>,
    giveBack: () => void,
    listener: ConductorListener,
  ) {
    this.#directory = directory
    this.#classes = classes
    this.#notes = new Notes(
      (text, tags) => listener.note(text, tags),
      (count) => listener.log('warning', notesLeftOut(count)),
    )
    const annotate = (text: string, tags: Tags = {}) => {
      checkNote(text, tags)
      this.#notes.take(text, tags)
    }
    this.#run = { ...run, annotate }
    this.#giveBack = giveBack
  }

  /** @throws {EngineError} when the tests do not load */
  static async open(
    bundle: Uint8Array,
    spec: ConductedSpec,
    runId: string,
    listener: ConductorListener = nobody,
  ): Promise<Conductor> {
    const directory = await WorkDirectory.create(null)
    const giveBack = lendEnvironment({ ...spec.env, ...spec.secrets })
    try {
      await directory.linkOurPackages()
      const manifest = await unpackBundle(bundle, directory.path)
      for (const { name, path } of manifest.links) await directory.link(name, path)
      const modules = await importModules(directory.path, manifest.entry!)
      const chosen = manifest.tests.filter((test) => spec.tests.some(({ label }) => label === test.label))
      const classOf = (test: ManifestTest) => classesOf(modules[test.module] ?? {}).get(test.className)!
      const classes = new Map(chosen.map((test) => [classKey(test), classOf(test)]))
      return new Conductor(directory, classes, hookContext(spec, runId), giveBack, listener)
    } catch (error) {
      giveBack()
      await directory.remove()
      throw error
    }
  }

  /**
   * @returns JSON text: what each class's setUpRun returned, by `module.Class`
   * @throws {EngineError} SET_UP_FAILED when one throws, or returns what JSON cannot hold or more than 1 MB
   */
  async setUpRun(): Promise<string> {
    for (const [name, cls] of this.#classes) {
      this.#data[name] = (await this.#call(name, cls, 'setUpRun')) ?? null
    }
    let text: string
    try {
      text = JSON.stringify(this.#data)
    } catch (error) {
      throw new EngineError(
        'SET_UP_FAILED',
        4,
        `what setUpRun returned is not JSON: ${(error as Error).message}`,
      )
    }
    if (Buffer.byteLength(text) > maxDataBytes) {
      throw new EngineError(
        'SET_UP_FAILED',
        4,
        'setUpRun returned more than 1 MB of JSON; ship files with --include-file',
      )
    }
    return text
  }

  /** Calls every class's tearDownRun, also when one throws. @throws {EngineError} SET_UP_FAILED with the first error */
  async tearDownRun(): Promise<void> {
    let first: unknown = null
    for (const [name, cls] of this.#classes) {
      await this.#call(name, cls, 'tearDownRun').catch((error: unknown) => (first ??= error))
    }
    if (first !== null) throw first
  }

  async close(): Promise<void> {
    for (const scope of this.#faults.splice(0).toReversed()) await scope.end().catch(() => {})
    this.#giveBack()
    await this.#directory.remove()
  }

  async #call(name: string, cls: TestClass, hook: 'setUpRun' | 'tearDownRun'): Promise<unknown> {
    try {
      const opened = (scope: FaultScope) => this.#faults.push(scope)
      return await cls[hook]?.({
        ...this.#run,
        data: this.#data[name] ?? null,
        get proxies() {
          return proxiesFor('run', opened)
        },
      })
    } catch (error) {
      throw new EngineError('SET_UP_FAILED', 4, `${name}: ${ownStack(error, this.#directory.path)}`, {
        cause: error,
      })
    } finally {
      this.#notes.tell(Infinity)
    }
  }
}

function hookContext(
  spec: ConductedSpec,
  runId: string,
): Omit<RunHookContext, 'data' | 'annotate' | 'proxies'> {
  return { runId, seed: spec.seed, agent: '', params: spec.params, serverUrl: spec.target.serverUrl }
}
