import { tearDownNote } from '@loads-runner/protocol'
import type { RunEvent } from '@loads-runner/protocol'
import type { BrokerConnection } from './broker-connection.ts'

/** The code of the user that runs once per run, in the process that started it. */
export interface RunScopedCode {
  /** @returns JSON text of what each class returned, by class name */
  setUpRun(): Promise<string>
  tearDownRun(): Promise<void>
  close(): Promise<void>
}

const strayEvents = ['unhandledRejection', 'uncaughtException'] as const

/** Conducts a run: setUpRun when all agents are ready, tearDownRun when the load has ended. Each once. */
export class RunConduct {
  readonly #code: Promise<RunScopedCode>
  readonly #runId: string
  readonly #connection: () => BrokerConnection
  readonly #failed: (text: string) => void
  readonly #hide: (text: string) => string
  #setUp: Promise<void> | null = null
  #tearDown: Promise<void> | null = null
  #ran = false
  /** The first error of the user's code that nothing awaited. */
  #stray: string | null = null
  readonly #onStray = (error: unknown) => this.#takeStray(error)

  constructor(
    code: Promise<RunScopedCode>,
    runId: string,
    connection: () => BrokerConnection,
    /** Told what went wrong; the broker is told, too, and decides. */
    failed: (text: string) => void,
    /** Takes secrets out of what users' code throws: it goes to the broker and all who watch. */
    hide: (text: string) => string,
  ) {
    this.#code = code
    // Said when it is needed: as the failure of setUpRun.
    code.catch(() => {})
    for (const name of strayEvents) process.on(name, this.#onStray)
    this.#runId = runId
    this.#connection = connection
    this.#failed = failed
    this.#hide = hide
  }

  take(event: RunEvent): void {
    if (event.type !== 'state' && event.type !== 'snapshot') return
    if (event.state === 'running') this.#ran = true
    if (event.state === 'ready') this.#setUp ??= this.#runSetUp()
    // The broker says "draining" of a stop, too; then it waits for the agents, not for us.
    const asked = event.type === 'state' && event.state === 'draining' && event.note === tearDownNote
    if (asked) this.#tearDown ??= this.#runTearDown()
  }

  /** Also tears down what was set up for a run that ended some other way. */
  async close(): Promise<void> {
    await this.#setUp
    if (this.#setUp !== null || this.#ran) await (this.#tearDown ??= this.#runTearDown())
    await this.#code.then(
      (code) => code.close(),
      () => {},
    )
    for (const name of strayEvents) process.off(name, this.#onStray)
  }

  async #runSetUp(): Promise<void> {
    const { value: data, error } = await attempt(async () => (await this.#code).setUpRun())
    if (error !== null) this.#failed(`error: setUpRun failed: ${error}`)
    await this.#tell('set-up-done', { data: data ?? '{}', error: this.#hidden(error ?? this.#stray) })
  }

  async #runTearDown(): Promise<void> {
    await this.#setUp
    const { error } = await attempt(async () => (await this.#code).tearDownRun())
    if (error !== null) this.#failed(`error: tearDownRun failed: ${error}`)
    await this.#tell('tear-down-done', { error: this.#hidden(error ?? this.#stray) })
  }

  #takeStray(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#stray ??= text
    this.#failed(`error: nothing awaits this error of setUpRun or what it started: ${text}`)
  }

  #hidden(error: string | null): string | null {
    return error === null ? null : this.#hide(error)
  }

  async #tell(
    ...[type, fields]:
      ['set-up-done', { data: string; error: string | null }] | ['tear-down-done', { error: string | null }]
  ) {
    const runId = this.#runId
    const connection = this.#connection()
    // A run that is over, or a broker that is gone, needs no answer.
    if (type === 'set-up-done') await connection.request(type, { ...fields, runId }).catch(() => {})
    else await connection.request(type, { ...fields, runId }).catch(() => {})
  }
}

async function attempt<T>(step: () => Promise<T>): Promise<{ value: T | null; error: string | null }> {
  try {
    return { value: await step(), error: null }
  } catch (error) {
    return { value: null, error: error instanceof Error ? error.message : String(error) }
  }
}
