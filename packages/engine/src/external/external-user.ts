import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { LoadUser, UserPart, UserSurroundings } from '../load-user.ts'
import { UserMeter } from '../user-meter.ts'
import { parseEventLine, type RunnerEvent } from './event-line.ts'

/** After SIGTERM a process has this long to end, in milliseconds. */
const termGraceMs = 2000
const tailLines = 20
/** Descriptor of the pipe that ends when the load thread does. */
export const leashDescriptor = 4

/** What the external users of a load thread share. */
export interface RunnerResources {
  /** Where runners may send statsd lines, on loopback. */
  statsdPort(): Promise<number>
  /** How to start a command so that it ends with the pipe at {@link leashDescriptor}. */
  commandLine(command: string): { file: string; args: string[] }
  /** A runner ended well, with fewer executions than it was asked for. */
  endedShort(): void
}

/** A virtual user that is a process of its own, in any language. */
export class ExternalUser implements LoadUser {
  readonly #around: UserSurroundings
  readonly #shared: RunnerResources
  readonly #meter: UserMeter
  readonly #tail: string[] = []
  #child: ChildProcess | null = null
  #ending = false
  #begun: number | null = null
  #finished = 0
  #reported = false
  #complained = false

  constructor(around: UserSurroundings, shared: RunnerResources) {
    this.#around = around
    this.#shared = shared
    this.#meter = new UserMeter(around.recorder)
    this.#meter.test = this.#defaultTest
  }

  async run(part: UserPart): Promise<void> {
    this.#around.state.add('activeUsers', 1)
    const begun = performance.now()
    try {
      const exit = await this.#process(part)
      this.#settle(exit, begun, part)
    } catch (error) {
      this.#execution(
        'error',
        begun,
        this.#defaultTest,
        'Error',
        `the runner did not start: ${(error as Error).message}`,
      )
    } finally {
      this.#around.state.add('activeUsers', -1)
    }
  }

  drain(): void {
    if (this.#ending) return
    this.#ending = true
    this.#signal('SIGTERM')
  }

  cancel(): void {
    this.drain()
    setTimeout(() => this.#signal('SIGKILL'), termGraceMs).unref()
  }

  /** The time limit of a test is the runner's own matter. */
  timeOutSince(): void {}

  get #defaultTest(): string {
    return this.#around.setup.spec.tests[0]?.label ?? 'external'
  }

  async #process(part: UserPart): Promise<{ code: number | null; signal: string | null }> {
    const { spec, directory } = this.#around.setup
    const command = spec.testRunner!.replaceAll('{test}', this.#defaultTest)
    const { file, args } = this.#shared.commandLine(command)
    const child = spawn(file, args, {
      cwd: directory,
      env: { ...process.env, ...(await this.#environment(part)) },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      detached: true,
    })
    this.#child = child
    if (this.#ending) this.#signal('SIGTERM')
    const lines = [
      this.#read(child.stdout!, part, (line) => this.#around.log('info', line)),
      this.#read(child.stdio[3] as Readable, part, () => this.#complain('a line that is not an event')),
      this.#read(child.stderr!, part, (line) => this.#remember(line)),
    ]
    const exit = await new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => resolve({ code, signal }))
    })
    // What is left of its process group goes too, or its pipes would stay open.
    this.#signal('SIGKILL')
    await Promise.all(lines)
    return exit
  }

  async #environment(part: UserPart): Promise<Record<string, string>> {
    const { spec, runId, agent } = this.#around.setup
    const remaining =
      part.endsAt === null
        ? { LOADS_ITERATIONS: String(part.iterations! - part.fromIteration) }
        : { LOADS_DURATION: String(Math.max(0, (part.endsAt - performance.now()) / 1000)) }
    return {
      ...remaining,
      LOADS_RUN_ID: runId,
      LOADS_AGENT_ID: agent,
      LOADS_USER: String(part.user),
      LOADS_USERS: String(spec.profile.stages[part.stage]!.users),
      LOADS_STAGE: String(part.stage),
      LOADS_SEED: String(spec.seed),
      LOADS_TEST: this.#defaultTest,
      LOADS_PARAMS: JSON.stringify(spec.params),
      LOADS_SERVER_URL: spec.target.serverUrl ?? '',
      LOADS_EVENTS_FD: '3',
      STATSD_HOST: '127.0.0.1',
      STATSD_PORT: String(await this.#shared.statsdPort()),
    }
  }

  async #read(stream: Readable, part: UserPart, otherwise: (line: string) => void): Promise<void> {
    stream.on('error', () => {})
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      try {
        const event = parseEventLine(line)
        if (event === null) otherwise(line)
        else this.#take(event, part)
      } catch (error) {
        this.#complain((error as Error).message)
      }
    }
  }

  #take(event: RunnerEvent, part: UserPart): void {
    this.#reported = true
    switch (event.kind) {
      case 'start':
        this.#open(event.test)
        break
      case 'end':
        if (this.#begun === null) this.#open(event.test)
        this.#execution(event.outcome, this.#begun!, this.#meter.test, event.type, event.message, event.ms)
        part.onProgress(part.fromIteration + ++this.#finished)
        break
      case 'hit':
        this.#meter.hit(
          'http',
          event.name,
          event.method,
          event.status,
          event.failed,
          event.ms * 1000,
          event.bytesIn,
          event.bytesOut,
          null,
        )
        break
      case 'counter':
        this.#meter.count(event.name, event.value)
        break
      case 'gauge':
        this.#meter.gauge(event.name, event.value)
        break
      case 'timing':
        this.#meter.timing(event.name, event.value)
    }
  }

  #open(test: string | null): void {
    if (this.#begun !== null) {
      this.#execution(
        'error',
        this.#begun,
        this.#meter.test,
        'Error',
        'the runner started a test before it ended the last one',
      )
    }
    this.#meter.test = test ?? this.#defaultTest
    this.#begun = performance.now()
    this.#around.state.add('started', 1)
    this.#around.recorder.internal('execution.started', this.#meter.test, 1)
  }

  /** A process that reported no test is itself one: its exit code is the verdict. */
  #settle(exit: { code: number | null; signal: string | null }, begun: number, part: UserPart): void {
    const bad = exit.code !== 0
    const how = exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`
    const message = `the runner ended with ${how}`
    if (this.#begun !== null || !this.#reported) {
      if (this.#begun === null) this.#open(null)
      const outcome = this.#ending ? 'interrupted' : bad || this.#reported ? 'error' : 'success'
      const why = bad ? message : 'the runner ended in the middle of a test'
      this.#execution(outcome, this.#reported ? this.#begun! : begun, this.#meter.test, 'RunnerError', why)
      if (outcome !== 'interrupted') part.onProgress(part.fromIteration + ++this.#finished)
    } else if (!bad && !this.#ending && part.iterations !== null) {
      if (part.fromIteration + this.#finished < part.iterations) this.#shared.endedShort()
    } else if (bad && !this.#ending) {
      this.#around.recorder.internal('error.uncaught', '', 1)
      this.#group(this.#meter.test, 'RunnerError', message)
    }
  }

  #execution(
    outcome: 'success' | 'failure' | 'error' | 'interrupted',
    begun: number,
    test: string,
    type: string,
    message: string,
    ms: number | null = null,
  ): void {
    const { state, recorder } = this.#around
    if (this.#begun === null) {
      state.add('started', 1)
      recorder.internal('execution.started', test, 1)
    }
    this.#begun = null
    if (outcome === 'failure' || outcome === 'error') this.#group(test, type, message)
    recorder.execution(test, outcome, (ms ?? performance.now() - begun) * 1000)
    state.add(outcome === 'interrupted' ? 'interrupted' : 'finished', 1)
  }

  #group(test: string, type: string, message: string): void {
    const tail = this.#tail.join('\n')
    this.#around.recorder.error(test, type, message, () => (tail === '' ? message : `${message}\n${tail}`))
  }

  #remember(line: string): void {
    this.#tail.push(line)
    if (this.#tail.length > tailLines) this.#tail.shift()
    this.#around.log('info', line)
  }

  #complain(what: string): void {
    if (this.#complained) return
    this.#complained = true
    this.#around.log('warning', `the runner wrote an event that cannot be read: ${what}`)
  }

  #signal(name: NodeJS.Signals): void {
    const pid = this.#child?.pid
    if (pid === undefined) return
    try {
      process.kill(-pid, name)
    } catch {
      // The whole group is gone already.
    }
  }
}
