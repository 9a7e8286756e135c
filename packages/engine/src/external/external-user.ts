import { mostUsersOf } from '@loads-runner/testcase/load'
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Tags } from '@loads-runner/testcase'
import type { ExecutionEnd, LoadUser, UserPart, UserSurroundings } from '../load-user.ts'
import type { StageView } from '../stage-view.ts'
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

/** A virtual user that is a process of its own, in any language. In open models each execution is a process. */
export class ExternalUser implements LoadUser {
  readonly user: number
  endedAt = 0
  readonly #view: StageView
  readonly #around: UserSurroundings
  readonly #shared: RunnerResources
  readonly #meter: UserMeter
  #tail: string[] = []
  #child: ChildProcess | null = null
  #ending = false
  #begun: number | null = null
  #finished = 0
  #reported = false
  #complained = false
  #executionId: string | null = null
  #intendedAt: number | null = null
  #end: ExecutionEnd = 'finished'

  constructor(around: UserSurroundings, shared: RunnerResources, view: StageView, user: number) {
    this.#around = around
    this.#shared = shared
    this.#view = view
    this.user = user
    this.#meter = new UserMeter(around.recorder, around.state)
    this.#meter.tagged = view
    this.#meter.test = this.#defaultTest
  }

  /** One execution, in a process for it alone. */
  async execute(iteration: number, ordinal: number, intendedAt: number | null): Promise<ExecutionEnd> {
    const { run, numbered } = this.#view
    const { name } = run.scenario
    this.#executionId = numbered ? `${name}/${ordinal}` : `${name}/${this.user}/${iteration}`
    this.#intendedAt = intendedAt
    this.#meter.intendedAt = intendedAt
    const part = { fromIteration: 0, iterations: 1, endsAt: null, onProgress: () => {} }
    await this.runPart(part)
    this.endedAt = performance.now()
    return this.#end
  }

  readonly runPart = async (part: UserPart): Promise<void> => {
    const begun = performance.now()
    this.#ending = false
    this.#begun = null
    this.#finished = 0
    this.#reported = false
    this.#end = 'finished'
    this.#tail = []
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
    }
  }

  /** Its process has ended already. */
  async end(): Promise<void> {}

  cut(): void {
    this.cancel()
  }

  readonly drain = (): void => {
    if (this.#ending) return
    this.#ending = true
    this.#signal('SIGTERM')
  }

  cancel(): void {
    this.drain()
    const child = this.#child
    setTimeout(() => this.#child === child && this.#signal('SIGKILL'), termGraceMs).unref()
  }

  /** The time limit of a test is the runner's own matter. */
  timeOutSince(): void {}

  get #defaultTest(): string {
    return this.#view.run.scenario.tests[0]?.label ?? 'external'
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
    this.#child = null
    await Promise.all(lines)
    return exit
  }

  async #environment(part: UserPart): Promise<Record<string, string>> {
    const { spec, runId, agent } = this.#around.setup
    const { run, params } = this.#view
    const remaining: Record<string, string> = {}
    if (part.iterations !== null) remaining['LOADS_ITERATIONS'] = String(part.iterations - part.fromIteration)
    else if (part.endsAt !== null) {
      remaining['LOADS_DURATION'] = String(Math.max(0, (part.endsAt - performance.now()) / 1000))
    }
    if (this.#executionId !== null) remaining['LOADS_EXECUTION'] = this.#executionId
    return {
      ...remaining,
      LOADS_RUN_ID: runId,
      LOADS_AGENT_ID: agent,
      LOADS_USER: String(this.user),
      LOADS_USERS: String(mostUsersOf(run.model)),
      LOADS_SCENARIO: run.scenario.name,
      LOADS_STAGE: String(run.number),
      LOADS_SEED: String(spec.seed),
      LOADS_TEST: this.#defaultTest,
      LOADS_PARAMS: JSON.stringify(params),
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
    // A note says nothing of whether the runner reports its tests.
    if (event.kind !== 'note') this.#reported = true
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
        break
      case 'note':
        this.#around.annotate(event.text, event.tags)
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
    this.#started(this.#meter.test)
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
    if (this.#begun === null) this.#started(test)
    this.#begun = null
    if (outcome === 'failure' || outcome === 'error') this.#group(test, type, message)
    recorder.execution(test, outcome, (ms ?? performance.now() - begun) * 1000, this.#tags)
    if (this.#intendedAt !== null) {
      recorder.response(test, outcome, (performance.now() - this.#intendedAt) * 1000, this.#tags)
    }
    if (outcome === 'interrupted') this.#end = 'interrupted'
    state.add(outcome === 'interrupted' ? 'interrupted' : 'finished', 1)
  }

  #started(test: string): void {
    const { state, recorder } = this.#around
    state.add('started', 1)
    recorder.internal('execution.started', test, 1, this.#tags)
    if (this.#intendedAt !== null) {
      recorder.lateness(test, (performance.now() - this.#intendedAt) * 1000, this.#tags)
    }
  }

  get #tags(): Tags | null {
    return this.#view.tags
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
