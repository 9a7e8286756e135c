import { Worker } from 'node:worker_threads'
import { lendEnvironment } from './environment.ts'
import type { LoadThread } from './load-thread.ts'
import type { FromThread, ThreadSetup, ToThread } from './thread-messages.ts'

/** The session's end of one load thread. */
export interface ThreadHost {
  post(message: ToThread): void
  /** Ends the thread wherever its code is. */
  kill(): Promise<void>
}

export interface ThreadEvents {
  onMessage(message: FromThread): void
  /** The thread is gone without having said `ended`. */
  onDeath(reason: string): void
  onOutput(line: string): void
}

export function startWorkerThread(setup: ThreadSetup, events: ThreadEvents): ThreadHost {
  const { env, secrets } = setup.spec
  const worker = new Worker(new URL('./load-thread-main.js', import.meta.url), {
    workerData: setup,
    env: { ...process.env, ...env, ...secrets },
    stdout: true,
    stderr: true,
    name: `load-${setup.index}`,
  })
  let ended = false
  let reason = 'it exited'
  worker.on('message', (message: FromThread) => {
    if (message.type === 'ended') ended = true
    events.onMessage(message)
  })
  worker.on('error', (error) => {
    const { code } = error as NodeJS.ErrnoException
    reason =
      code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? 'it ran out of memory; use fewer users per agent, or NODE_OPTIONS=--max-old-space-size=MB'
        : String(error)
  })
  worker.on('exit', () => {
    if (!ended) events.onDeath(reason)
  })
  forwardLines(worker.stdout, (line) => events.onOutput(line))
  forwardLines(worker.stderr, (line) => events.onOutput(line))
  return {
    post: (message) => worker.postMessage(message),
    kill: async () => {
      ended = true
      await worker.terminate()
    },
  }
}

/** Users on this very thread: breakpoints work, and code that blocks blocks everything. */
export function startOnMainThread(setup: ThreadSetup, events: ThreadEvents): ThreadHost {
  const giveBack = lendEnvironment({ ...setup.spec.env, ...setup.spec.secrets })
  const port = {
    post: (message: FromThread) => {
      if (message.type === 'ended') restore()
      // Later, as from another thread: the receiver must never run inside the sender.
      setImmediate(() => events.onMessage(message))
    },
  }
  let thread: LoadThread | null = null
  const uncaught = (error: unknown) => thread?.uncaught(error)
  for (const name of ['unhandledRejection', 'uncaughtException']) process.on(name, uncaught)
  // Loaded here only: everywhere else load threads are threads of their own.
  const loading = import('./load-thread.ts').then((module) => {
    thread = new module.LoadThread(setup, port)
    return thread.load()
  })
  function restore(): void {
    for (const name of ['unhandledRejection', 'uncaughtException']) process.off(name, uncaught)
    giveBack()
  }
  return {
    post: (message) => void loading.then(() => thread?.handle(message)),
    kill: async () => restore(),
  }
}

function forwardLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!.slice(0, 10_000)
    lines.forEach(onLine)
  })
  stream.on('end', () => {
    if (rest !== '') onLine(rest)
  })
}
