import { fileURLToPath } from 'node:url'
import type { Log, Place, ProcessExit } from './place.ts'

export interface PrivateClusterOptions {
  agents: number
  debug: boolean
  /** Where logs go; null keeps the end of them in memory. */
  brokerLog: string | null
  logOf: (agent: string) => string | null
  log: Log
}

const startMs = 30_000

/** A broker process and N agent processes on this machine, for one run. Nothing of them outlives this process. */
export async function openPrivateCluster(options: PrivateClusterOptions): Promise<Place> {
  const [{ LocalCluster, ProcessService, describeExit }, { dialer, parseJoin }] = await Promise.all([
    import('@loads-runner/cluster'),
    import('@loads-runner/protocol'),
  ])
  const cluster = new LocalCluster()
  const level = options.debug ? ['--log-level', 'debug'] : []
  const broker = new ProcessService({
    name: 'broker',
    command: process.execPath,
    args: [binary('loads-broker'), '--private', ...level],
    readLine: true,
    startTimeoutMs: startMs,
    logFile: options.brokerLog,
  })
  const exits = new ExitList()
  try {
    await cluster.add(broker)
    broker.onExit((exit) => exits.add({ agent: null, note: describeExit(exit), logTail: broker.logTail() }))
    const joins = JSON.parse(await broker.announced(startMs)) as { agent: string; operator: string }
    const agents = Array.from({ length: options.agents }, (_, index) => {
      const id = `agent-${index + 1}`
      const agent = new ProcessService({
        name: id,
        command: process.execPath,
        args: [binary('loads-agent'), '--broker', '@/dev/fd/3', '--private', '--name', id, ...level],
        input: joins.agent,
        logFile: options.logOf(id),
      })
      agent.onExit((exit) => exits.add({ agent: id, note: describeExit(exit), logTail: agent.logTail() }))
      return agent
    })
    await cluster.add(...agents)
    return {
      dialer: dialer(parseJoin(joins.operator)),
      onExit: (handler) => exits.handle(handler),
      stop: async () => {
        await cluster.stop()
        // What an agent that was killed could not remove itself.
        await (await import('@loads-runner/engine')).removeAbandoned(null)
      },
    }
  } catch (error) {
    await cluster.stop().catch((failure: unknown) => options.log('warning', String(failure)))
    throw error
  }
}

/** Exits, kept until somebody wants to know. */
class ExitList {
  #handler: ((exit: ProcessExit) => void) | null = null
  readonly #early: ProcessExit[] = []

  add(exit: ProcessExit): void {
    if (this.#handler === null) this.#early.push(exit)
    else this.#handler(exit)
  }

  handle(handler: (exit: ProcessExit) => void): void {
    this.#handler = handler
    for (const exit of this.#early.splice(0)) handler(exit)
  }
}

function binary(name: string): string {
  return fileURLToPath(new URL(`../bin/${name}.js`, import.meta.url))
}
