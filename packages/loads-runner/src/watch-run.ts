import type { BrokerConnection, EventMessage } from './broker-connection.ts'
import type { Display } from './console/display.ts'
import { noticesOf } from './console/notices.ts'
import { RunnerError } from './errors.ts'
import type { InterruptReason, Interrupts } from './interrupts.ts'
import type { ProcessExit } from './place.ts'
import { RunFollower } from './run-follower.ts'
import { RunView } from '@loads-runner/history'
import type { Secrets } from '@loads-runner/testcase/secrets'

/** Asks whether to stop the run or to leave it; `again` aborts at the next Ctrl-C. */
export type DetachQuestion = (again: AbortSignal) => Promise<'stop' | 'detach' | 'go on'>

/** What a watched run offers to those who take part in it. */
export interface WatchedRun {
  /** The connection of the moment. */
  readonly connection: BrokerConnection
  /** A process of ours has gone. */
  processExited(exit: ProcessExit): void
}

export interface WatchOptions {
  connection: BrokerConnection
  runId: string
  redial: (() => Promise<BrokerConnection>) | null
  patienceMs: number
  display: Display
  debug: boolean
  interrupts: Interrupts
  secrets: Secrets
  askToDetach: DetachQuestion | null
  /** Signals stop the run for this reason; null: for the signal. */
  stopReason: 'operator' | null
  /** Every event, before it is shown. */
  onMessage: (message: EventMessage) => void
  /** Called before the first event; what it returns is closed when the run is over. */
  prepare: (run: WatchedRun) => { close(): Promise<void> } | null
}

export interface WatchEnd {
  /** finished: its summary is in the view. detached: it goes on. left: nobody waited for its end. */
  how: 'finished' | 'detached' | 'left'
  view: RunView
}

/** How long a killed run may take to answer before we leave it. */
const leaveAfterMs = 15_000

/**
 * Shows a run until it ends or is left. Signals stop it, harder each time.
 *
 * @throws {RunnerError} RUNNER_BROKER_LOST, RUNNER_CLUSTER
 */
export async function watchRun(options: WatchOptions): Promise<WatchEnd> {
  const { display, interrupts, runId, secrets } = options
  const view = new RunView()
  let leave!: (how: WatchEnd['how']) => void
  const left = new Promise<WatchEnd['how']>((resolve) => (leave = resolve))
  let follower: RunFollower | null = null
  const early: ProcessExit[] = []
  const run: WatchedRun = {
    get connection() {
      return follower?.connection ?? options.connection
    },
    processExited: (exit) => {
      if (follower === null) early.push(exit)
      else tellExit(follower, view, exit)
    },
  }
  const part = options.prepare(run)
  follower = new RunFollower({
    connection: options.connection,
    runId,
    redial: options.redial,
    patienceMs: options.patienceMs,
    onTrouble: (text) => display.notice(text),
    onMessage: (received) => {
      const message = withoutSecrets(received, secrets)
      for (const notice of noticesOf(message, view, options.debug)) display.notice(notice)
      view.apply(message.event)
      options.onMessage(message)
    },
  })
  for (const exit of early) tellExit(follower, view, exit)
  const stopper = new RunStopper(options, run, leave)
  interrupts.handle((reason) => stopper.take(reason))
  try {
    await display.follow(view)
    const how = await Promise.race([follower.finished.then(() => 'finished' as const), left])
    return { how, view }
  } finally {
    stopper.close()
    display.leave()
    // There is nothing left to stop; only the user's own tear-down can take its time.
    interrupts.handle(() => leave('left'))
    await Promise.race([part?.close(), left])
    await follower.close()
  }
}

const stopModes = ['drain', 'cancel', 'kill'] as const

const stopTexts = {
  drain: 'stopping: users finish what they are doing (Ctrl-C again to cut them off)',
  cancel: 'stopping: users are cut off (Ctrl-C again to kill the processes)',
  kill: 'stopping: processes are killed (Ctrl-C again to leave at once)',
} as const

/** Turns signals into requests: drain, cancel, kill; then it waits no longer. */
class RunStopper {
  readonly #options: WatchOptions
  readonly #run: WatchedRun
  readonly #leave: (how: WatchEnd['how']) => void
  #stops = 0
  #question: AbortController | null = null
  #patience: NodeJS.Timeout | null = null

  constructor(options: WatchOptions, run: WatchedRun, leave: (how: WatchEnd['how']) => void) {
    this.#options = options
    this.#run = run
    this.#leave = leave
  }

  take(reason: InterruptReason): void {
    const { askToDetach } = this.#options
    // A signal instead of an answer.
    if (this.#question !== null) this.#question.abort()
    else if (this.#stops === 0 && reason === 'SIGINT' && askToDetach !== null)
      return void this.#ask(askToDetach)
    this.#stop(reason)
  }

  close(): void {
    this.#question?.abort()
    if (this.#patience !== null) clearTimeout(this.#patience)
  }

  async #ask(askToDetach: DetachQuestion): Promise<void> {
    const question = new AbortController()
    this.#question = question
    const { display } = this.#options
    display.pause()
    const answer = await askToDetach(question.signal)
    this.#question = null
    if (question.signal.aborted) return
    display.resume()
    if (answer === 'detach') this.#leave('detached')
    if (answer === 'stop') this.#stop('SIGINT')
  }

  #stop(reason: InterruptReason): void {
    const { display, runId } = this.#options
    const mode = stopModes[this.#stops++]
    if (mode === undefined) return this.#leave('left')
    display.resume()
    display.notice(stopTexts[mode])
    const why = this.#options.stopReason ?? reason
    this.#run.connection.request('stop', { runId, mode, reason: why }).catch((error: Error) => {
      display.notice(`warning: the run could not be stopped: ${error.message}`)
    })
    if (mode === 'kill') this.#patience = setTimeout(() => this.#leave('left'), leaveAfterMs)
  }
}

function tellExit(follower: RunFollower, view: RunView, exit: ProcessExit): void {
  const { agent, note, logTail } = exit
  const log = logTail === '' ? '' : `\n${logTail}`
  if (agent === null) {
    follower.fail(new RunnerError('RUNNER_CLUSTER', `the broker has ended before the run (${note})${log}`))
    return
  }
  if (view.state === 'queued') {
    follower.fail(new RunnerError('RUNNER_CLUSTER', `${agent} ended before the run began (${note})${log}`))
    return
  }
  // A broker that has forgotten the run, or is gone itself, needs to know no more.
  follower.connection.request('agent-exited', { agent, note }).catch(() => {})
}

function withoutSecrets(message: EventMessage, secrets: Secrets): EventMessage {
  return { ...message, event: secrets.hideIn(message.event) }
}
