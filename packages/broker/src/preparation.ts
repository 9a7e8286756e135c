import type { AgentToBroker, RunSpec } from '@loads-runner/protocol'
import { sendBundle } from './bundle-sender.ts'
import type { Clock } from './clock.ts'
import { messageOf } from './errors.ts'
import { asSeconds, phaseLimitMs } from './limits.ts'
import type { Member } from './member.ts'
import type { Roster } from './roster.ts'
import type { RunVoice } from './run-voice.ts'

export interface PreparationOptions {
  runId: string
  spec: RunSpec
  clock: Clock
  roster: Roster
  voice: RunVoice
  /** null when the bundle is not in store any more. */
  loadBundle: (hash: string) => Promise<Uint8Array | null>
  /** Every agent has loaded the tests. */
  onLoaded: () => void
  /** Every agent has run setUpAgent. */
  onArmed: () => void
  /** It will come to nothing. */
  onFailure: (exitCode: number, reason: string) => void
}

type PreparationMessage = Extract<AgentToBroker, { type: 'need-bundle' | 'prepared' | 'armed' }>

/**
 * What happens before load begins: agents load the tests, then (once `arm` is called) run setUpAgent. Messages that do
 * not fit the present step are left alone.
 *
 * idle, loading, loaded, arming, armed: in this order, each once.
 */
export class Preparation {
  readonly #options: PreparationOptions
  #step: 'idle' | 'loading' | 'loaded' | 'arming' | 'armed' = 'idle'
  #sinceMs = 0
  #data = ''

  constructor(options: PreparationOptions) {
    this.#options = options
  }

  /** Has every agent load the tests and learn its share. */
  load(): void {
    const { roster, voice } = this.#options
    this.#enter('loading')
    for (const member of roster) {
      voice.show(member)
      this.#sendPrepare(member)
    }
  }

  /** Has every agent run setUpAgent with what setUpRun returned. */
  arm(data: string): void {
    this.#data = data
    this.#enter('arming')
    for (const member of this.#options.roster) this.#sendArm(member)
  }

  /** An agent is back over a new link: what it has not answered may have been lost with the old one. */
  resume(member: Member): void {
    if (this.#step === 'loading' && member.state === 'preparing') this.#sendPrepare(member)
    else if (this.#step === 'arming' && member.state === 'prepared') this.#sendArm(member)
  }

  #sendPrepare(member: Member): void {
    const { runId, spec } = this.#options
    // Passwords of databases are no agent's business.
    member.send({ type: 'prepare', runId, spec: { ...spec, outputs: [] }, share: member.share })
  }

  #sendArm(member: Member): void {
    member.send({ type: 'arm', runId: this.#options.runId, data: this.#data })
  }

  /** What an agent says on its way to the load. */
  take(member: Member, message: PreparationMessage): void {
    if (message.type === 'need-bundle') this.#onNeedBundle(member, message.hash)
    else if (message.type === 'prepared') this.#onPrepared(member, message.workers)
    else this.#onArmed(member)
  }

  #onNeedBundle(member: Member, hash: string): void {
    const { spec, onFailure } = this.#options
    const { links } = member.agent
    if (this.#step !== 'loading' || member.sendingOver === links || hash !== spec.bundle) return
    member.sendingOver = links
    this.#sendBundle(member, hash).catch((error: unknown) => {
      onFailure(70, `bundle ${hash} cannot be sent: ${messageOf(error)}`)
    })
  }

  #onPrepared(member: Member, workers: number): void {
    const { roster, voice, onLoaded } = this.#options
    if (this.#step !== 'loading' || member.state !== 'preparing') return
    member.workers = workers
    voice.become(member, 'prepared')
    if (!roster.every('prepared')) return
    this.#enter('loaded')
    onLoaded()
  }

  #onArmed(member: Member): void {
    const { roster, voice, onArmed } = this.#options
    if (this.#step !== 'arming' || member.state !== 'prepared') return
    voice.become(member, 'armed')
    if (!roster.every('armed')) return
    this.#enter('armed')
    onArmed()
  }

  /** Gives up on agents that take too long. */
  tick(nowMs: number): void {
    if (nowMs - this.#sinceMs <= phaseLimitMs) return
    if (this.#step === 'loading') this.#complain('preparing', 'did not load the tests')
    else if (this.#step === 'arming') this.#complain('prepared', 'did not finish setUpAgent')
  }

  #complain(state: Member['state'], what: string): void {
    const { roster, onFailure } = this.#options
    const late = roster.all().filter((member) => member.state === state)
    const names = late.map((member) => member.id).join(', ')
    onFailure(4, `${names} ${what} within ${asSeconds(phaseLimitMs)} s`)
  }

  async #sendBundle(member: Member, hash: string): Promise<void> {
    const { runId, clock, voice, loadBundle, onFailure } = this.#options
    const link = member.sendingOver
    const bytes = await loadBundle(hash)
    if (bytes === null) onFailure(4, `bundle ${hash} is not in store any more; submit the run again`)
    else if (this.#step === 'loading' && member.live) {
      voice.log('debug', `bundle ${hash} (${bytes.length} bytes) goes to ${member.id}`)
      await sendBundle(member.agent, runId, hash, bytes, clock)
    }
    if (member.sendingOver === link) member.sendingOver = null
  }

  #enter(step: 'loading' | 'loaded' | 'arming' | 'armed'): void {
    this.#step = step
    this.#sinceMs = this.#options.clock.monotonic()
  }
}

/** An agent may say 3 (tests not loadable) or 70; whatever else it says is infrastructure. */
export function cannotRunCode(exitCode: number): number {
  return exitCode === 2 || exitCode === 3 || exitCode === 70 ? exitCode : 4
}
