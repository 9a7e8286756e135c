import {
  EngineError,
  Session,
  type SessionControl,
  type SessionListener,
  type SessionOptions,
  type SessionWindow,
} from '@loads-runner/engine'
import { DeltaEncoder } from '@loads-runner/metrics'
import type { AgentToBroker, Annotation, BrokerToAgent, RunSpec } from '@loads-runner/protocol'
import type { MovedUnit, Share } from '@loads-runner/testcase/load'
import type { BundleCache } from './bundle-cache.ts'
import { ChildSession } from './child-session.ts'
import { RowRequests } from './row-requests.ts'
import { WindowBuffer } from './window-buffer.ts'

/** child: a process per run. own: this process is the session's alone. in-process: this process is shared with others. */
export type SessionPlace = 'child' | 'own' | 'in-process'

export interface AgentRunOptions {
  runId: string
  agent: string
  spec: RunSpec
  share: Share
  place: SessionPlace
  workDir: string | null
  bundles: BundleCache
  /** Speaks to the broker; does nothing while there is no connection. */
  send(message: AgentToBroker): void
  connected(): boolean
}

/** After this long without a final window a session that was asked to end is closed by force, in milliseconds. */
const endGraceMs = 12_000

/** One run on this agent: its session, and its windows until they are committed. */
export class AgentRun {
  readonly #options: AgentRunOptions
  readonly #windows: WindowBuffer
  readonly #rowRequests: RowRequests
  #encoder = new DeltaEncoder()
  #session: SessionControl | null = null
  #bundleParts: Uint8Array[] = []
  #needsBundle = false
  #armed = false
  /** Units of other agents that it was given. */
  #units = 0
  /** How far it is, as it has told the broker: whatever was on its way when a link broke is said again. */
  #told: AgentToBroker[] = []
  #unsaidNotes = 0
  #leaving = false
  /** The session has given its last window. */
  #complete = false
  #ended!: () => void
  readonly #end = new Promise<void>((resolve) => (this.#ended = resolve))
  #closed = false

  constructor(options: AgentRunOptions) {
    this.#options = options
    this.#windows = new WindowBuffer(options.spec.warmUpMs)
    this.#rowRequests = new RowRequests(
      (request) => this.#say({ type: 'lease-rows', runId: options.runId, ...request }),
      ({ feed, first, count }) => this.#session?.rows(feed, first, count),
    )
  }

  get spec(): RunSpec {
    return this.#options.spec
  }

  /** Loads the tests when the bundle is at hand, asks for it when not. */
  begin(): void {
    const { spec, bundles, runId } = this.#options
    if (spec.bundle === null) void this.#prepare(null)
    else {
      const bundle = bundles.get(spec.bundle)
      if (bundle !== null) void this.#prepare(bundle)
      else {
        this.#needsBundle = true
        this.#say({ type: 'need-bundle', runId, hash: spec.bundle })
      }
    }
  }

  take(message: Exclude<BrokerToAgent, { type: 'prepare' } | { type: 'release' }>): void {
    switch (message.type) {
      case 'bundle':
        return this.#takeBundle(message.bytes, message.last)
      case 'arm':
        return void this.#arm(message.data)
      case 'start-stage':
        return this.#session?.startStage(message.stage)
      case 'add-units':
        return this.#addUnits(message.from, message.units)
      case 'control':
        return this.#session?.control(message.stage, message.changes)
      case 'rows':
        return this.#rowRequests.answer(message)
      case 'finish':
        return this.#session?.finish()
      case 'stop':
        return this.#session?.stop(message.mode)
      case 'ack':
        return this.#windows.ack(message.number)
      case 'catalogue':
        return this.#session?.restrictTo(message.series)
    }
  }

  /** A new connection knows no definitions yet, and may miss what was under way. */
  resend(): void {
    this.#encoder = new DeltaEncoder()
    if (this.#needsBundle) {
      this.#bundleParts = []
      this.#say({ type: 'need-bundle', runId: this.#options.runId, hash: this.spec.bundle! })
    }
    for (const window of this.#windows.unacknowledged()) this.#sendWindow(window)
    this.#flush()
    for (const message of this.#told) this.#say(message)
    this.#rowRequests.repeat()
    if (this.#unsaidNotes > 0) {
      const what = this.#unsaidNotes === 1 ? '1 note was' : `${this.#unsaidNotes} notes were`
      const text = `${what} left out: the broker was out of reach when they were made`
      this.#unsaidNotes = 0
      this.#say({ type: 'log', runId: this.#options.runId, level: 'warning', text })
    }
  }

  /** The broker has been out of reach for too long: no more load. */
  stopLoad(): void {
    this.#session?.stop('drain')
  }

  /** Leaves the run in good order: tearDown runs, every window is sent; the broker gives the rest to others. */
  async leave(): Promise<void> {
    this.#leaving = true
    if (this.#session !== null) {
      this.#session.stop('cancel')
      const timer = setTimeout(this.#ended, endGraceMs)
      await this.#end
      clearTimeout(timer)
      if (this.#complete) this.#say({ type: 'released', runId: this.#options.runId })
    }
    await this.close()
  }

  /** Ends everything of the run on this machine. */
  async close(): Promise<void> {
    this.#closed = true
    this.#ended()
    await this.#session?.close()
  }

  killNow(): void {
    if (this.#session instanceof ChildSession) this.#session.killNow()
  }

  /** Those that it has already are left out; those that follow some that it lacks will be said again. */
  #addUnits(from: number, units: MovedUnit[]): void {
    const fresh = from > this.#units ? [] : units.slice(this.#units - from)
    if (fresh.length === 0) return
    this.#units += fresh.length
    const stages = new Set(fresh.map(({ stage }) => stage))
    this.#told = this.#told.filter((each) => each.type !== 'stage-done' || !stages.has(each.stage))
    this.#session?.addUnits(fresh)
  }

  #takeBundle(bytes: Uint8Array, last: boolean): void {
    this.#bundleParts.push(bytes)
    if (!last) return
    const bundle = Buffer.concat(this.#bundleParts)
    this.#bundleParts = []
    this.#needsBundle = false
    if (this.#options.bundles.put(this.#options.spec.bundle!, bundle)) void this.#prepare(bundle)
    else
      this.#cannotRun(
        new EngineError('BUNDLE_INVALID', 4, 'the bundle of tests was damaged on its way; try again'),
      )
  }

  async #prepare(bundle: Uint8Array | null): Promise<void> {
    const { runId, agent, spec, share, workDir, place } = this.#options
    const options: SessionOptions = {
      runId,
      agent,
      spec,
      share,
      bundle,
      workDir,
      ownProcess: place === 'own',
    }
    try {
      this.#session =
        place === 'child'
          ? new ChildSession(options, this.#listener, spec.maxOrphanMs)
          : new Session(options, this.#listener)
      const workers = await this.#session.prepare()
      this.#tell({ type: 'prepared', runId, workers })
    } catch (error) {
      this.#cannotRun(error)
    }
  }

  async #arm(data: string): Promise<void> {
    // Said again over a new link.
    if (this.#armed) return
    this.#armed = true
    try {
      await this.#session?.arm(data)
      this.#tell({ type: 'armed', runId: this.#options.runId })
    } catch (error) {
      this.#cannotRun(error)
    }
  }

  #cannotRun(error: unknown): void {
    const known = error instanceof EngineError
    const message = known ? error.message : String((error as Error).stack ?? error)
    this.#tell({
      type: 'cannot-run',
      runId: this.#options.runId,
      exitCode: known ? error.exitCode : 70,
      message,
    })
  }

  readonly #listener: SessionListener = {
    // An agent that leaves has not done its share: neither this nor its last window may say so.
    stageDone: (stage) => {
      if (this.#leaving) return
      this.#tell({ type: 'stage-done', runId: this.#options.runId, stage, units: this.#units })
    },
    window: (window) => {
      this.#windows.push(this.#leaving ? { ...window, final: false } : window)
      this.#flush()
      this.#complete ||= window.final
      if (window.final) this.#ended()
    },
    leaseRows: (feed, size, count) => this.#rowRequests.take({ feed, size, count }),
    log: (level, text) => this.#say({ type: 'log', runId: this.#options.runId, level, text }),
    note: (text, tags) => this.#annotate({ type: 'note', text, tags: { ...tags } }),
    lost: (reason) => {
      this.#tell({ type: 'session-lost', runId: this.#options.runId, reason })
      this.#ended()
    },
  }

  #flush(): void {
    if (!this.#options.connected()) return
    for (let window = this.#windows.next(); window !== null; window = this.#windows.next())
      this.#sendWindow(window)
  }

  #sendWindow(window: SessionWindow): void {
    this.#say({
      type: 'window',
      runId: this.#options.runId,
      ...window,
      delta: this.#encoder.encode(window.delta),
    })
  }

  /** The broker says when it was: said later, it would stand at a moment that it is not about. */
  #annotate(annotation: Annotation): void {
    if (this.#options.connected()) this.#say({ type: 'annotate', runId: this.#options.runId, annotation })
    else this.#unsaidNotes++
  }

  /** For what the broker waits for: it is said again over each new link. */
  #tell(message: AgentToBroker): void {
    this.#told.push(message)
    this.#say(message)
  }

  #say(message: AgentToBroker): void {
    if (!this.#closed) this.#options.send(message)
  }
}
