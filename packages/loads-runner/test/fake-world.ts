import type { HostLimits, OutputStream, StopSignal, World } from '../src/world.ts'

/** A stream that keeps what is written to it. */
export class FakeOutput implements OutputStream {
  readonly isTTY: boolean
  columns: number | undefined
  closed = false
  content = ''

  constructor(columns?: number) {
    this.isTTY = columns !== undefined
    this.columns = columns
  }

  write(text: string): void {
    if (!this.closed) this.content += text
  }

  async flushed(): Promise<void> {}

  get lines(): string[] {
    return this.content.split('\n')
  }
}

export interface FakeWorld extends World {
  readonly stdout: FakeOutput
  readonly stderr: FakeOutput
  signal(name: StopSignal): void
  /** Signal handlers that are still subscribed. */
  readonly listeners: number
}

export interface FakeOptions {
  env?: Record<string, string>
  cwd?: string
  columns?: number
  limits?: HostLimits
  /** What is typed when somebody asks. */
  typed?: string[]
  debugged?: boolean
}

/** A world in memory: commands run in it as they would in a process. */
export function fakeWorld(args: string[], options: FakeOptions = {}): FakeWorld {
  const handlers = new Set<(signal: StopSignal) => void>()
  const typed = [...(options.typed ?? [])]
  return {
    args,
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    stdout: new FakeOutput(options.columns),
    stderr: new FakeOutput(options.columns),
    stdin: {
      isTTY: options.typed !== undefined,
      readLine: (signal) => {
        const line = typed.shift()
        if (line !== undefined) return Promise.resolve(line)
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }))
      },
      ended: () => new Promise(() => {}),
    },
    onSignal: (handler) => {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    captureOutput: () => () => {},
    limits: () => Promise.resolve(options.limits ?? { openFiles: null, ports: null }),
    debugged: () => options.debugged ?? false,
    openInspector: () => 'ws://127.0.0.1:9229/fake',
    signal: (name) => handlers.forEach((handler) => handler(name)),
    get listeners() {
      return handlers.size
    },
  }
}
