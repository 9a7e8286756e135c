import { open as openInspector, url as inspectorUrl, waitForDebugger } from 'node:inspector'
import { captureLines } from './captured-output.ts'
import { reportFailure } from './errors.ts'
import { exitCodes } from './exit-codes.ts'

/**
 * What a command may touch of the process it runs in. Commands receive it as a value, so whole commands run in memory
 * inside a test; only the entry files in `bin` use the real one and exit.
 */
export interface World {
  /** Arguments after the name of the command. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly stdin: InputStream
  /** Calls the handler for each of these signals until the returned function is called. */
  onSignal(handler: (signal: StopSignal) => void): () => void
  /** Takes the lines that anybody but `stdout` and `stderr` writes there, until the returned function is called. */
  captureOutput(onLine: (line: string) => void): () => void
  /** The largest number of open files and of local ports; null where the system does not say. */
  limits(): Promise<HostLimits>
  /** True when a debugger is attached: users then run on the main thread and time-outs are off. */
  debugged(): boolean
  /** Waits until a debugger has attached. Returns the address it was told. */
  openInspector(say: (text: string) => void): string
}

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

export interface OutputStream {
  readonly isTTY: boolean
  /** Width of the terminal; undefined when it is none. */
  readonly columns: number | undefined
  /** Height of the terminal, where it is known. */
  readonly rows?: number | undefined
  /** True once the reader has gone (a closed pipe or terminal); writing then does nothing. */
  readonly closed: boolean
  write(text: string): void
  /** Resolves when everything written so far is out, or the reader has gone. */
  flushed(): Promise<void>
}

export interface InputStream {
  readonly isTTY: boolean
  /** The next line that is typed; null at the end of the input or when the signal aborts. */
  readLine(signal: AbortSignal): Promise<string | null>
  /** Resolves when the input ends; used by processes that must not outlive their parent. */
  ended(): Promise<void>
}

export interface HostLimits {
  openFiles: number | null
  ports: number | null
}

/** The world of this process. */
export function realWorld(): World {
  return {
    args: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    stdout: new ProcessOutput(process.stdout),
    stderr: new ProcessOutput(process.stderr),
    stdin: new ProcessInput(),
    onSignal: subscribeSignals,
    captureOutput: (onLine) => captureLines([process.stdout, process.stderr], onLine),
    limits: async () => (await import('./host-limits.ts')).readHostLimits(),
    debugged: () => inspectorUrl() !== undefined,
    openInspector: waitForInspector,
  }
}

function waitForInspector(say: (text: string) => void): string {
  if (inspectorUrl() === undefined) openInspector()
  const address = inspectorUrl() ?? ''
  say(
    `waiting for a debugger at ${address}\n` +
      `attach one: chrome://inspect in Chrome, "Attach to Node Process" in VS Code, or node inspect --port ${new URL(address).port}\n`,
  )
  waitForDebugger()
  return address
}

/** Runs a command in the real world and ends the process with its exit code. */
export async function runInRealWorld(command: (world: World) => Promise<number>): Promise<void> {
  const world = realWorld()
  endOnStrayErrors(world)
  const code = await command(world)
  process.exitCode = code
  await Promise.all([world.stdout.flushed(), world.stderr.flushed()])
  process.exit(code)
}

/**
 * An error that nobody awaits would end the process with an exit code that means "tests failed". While users run on this
 * very thread their stray errors are counted by the engine, which listens, too.
 */
function endOnStrayErrors(world: World): void {
  for (const name of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(name, (error: unknown) => {
      if (process.listenerCount(name) > 1) return
      world.stderr.write(reportFailure(error).text)
      process.exit(exitCodes.defect)
    })
  }
}

class ProcessOutput implements OutputStream {
  readonly #stream: NodeJS.WriteStream
  /** The real one, also while users' output is captured. */
  readonly #write: NodeJS.WriteStream['write']
  #closed = false

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    this.#write = stream.write.bind(stream)
    // A reader that goes away (`| head -1`, a closed terminal) ends the display and nothing else.
    stream.on('error', () => (this.#closed = true))
  }

  get isTTY(): boolean {
    return this.#stream.isTTY === true && !this.#closed
  }

  get columns(): number | undefined {
    // A terminal of nobody (a container, a test) may say that it has 0.
    return this.#stream.columns || undefined
  }

  get rows(): number | undefined {
    return this.#stream.rows || undefined
  }

  get closed(): boolean {
    return this.#closed
  }

  write(text: string): void {
    if (!this.#closed) this.#write(text)
  }

  async flushed(): Promise<void> {
    if (this.#closed) return
    await new Promise<void>((resolve) => {
      const patience = setTimeout(resolve, flushMs)
      this.#write('', () => {
        clearTimeout(patience)
        resolve()
      })
    })
  }
}

/** A reader that is frozen must not keep us from exiting for ever. */
const flushMs = 5000

class ProcessInput implements InputStream {
  get isTTY(): boolean {
    return process.stdin.isTTY === true
  }

  async readLine(signal: AbortSignal): Promise<string | null> {
    const { createInterface } = await import('node:readline')
    const lines = createInterface({ input: process.stdin, terminal: false })
    try {
      return await new Promise<string | null>((resolve) => {
        lines.once('line', resolve)
        lines.once('close', () => resolve(null))
        signal.addEventListener('abort', () => resolve(null), { once: true })
        if (signal.aborted) resolve(null)
      })
    } finally {
      lines.close()
      process.stdin.pause()
    }
  }

  async ended(): Promise<void> {
    await new Promise<void>((resolve) => {
      process.stdin
        .once('end', resolve)
        .once('close', resolve)
        .once('error', () => resolve())
      process.stdin.resume()
    })
  }
}

function subscribeSignals(handler: (signal: StopSignal) => void): () => void {
  const names: StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const name of names) process.on(name, handler)
  return () => {
    for (const name of names) process.off(name, handler)
  }
}
