import type { EventHub } from '../events/event-hub.ts'
import { startProxy, type Proxy } from '../proxy/proxy.ts'
import type { FaultRequest, Rule } from '../rules/rule.ts'
import type { WayState } from './cut.ts'

/** Names of the faults by which a way is cut; others may be added to its proxy. */
const cutNames = ['cut_upstream', 'cut_downstream', 'cut_new', 'cut_open'] as const
const isCut = (name: string): boolean => (cutNames as readonly string[]).includes(name)

export interface WayOptions {
  name: string
  listen: string
  backend: string
  seed?: number | undefined
}

/** One way between two endpoints: a proxy of its own, so that faults know who opened a connection. */
export class Way {
  readonly proxy: Proxy
  #state: WayState = { mode: 'open', lost: { upstream: false, downstream: false } }
  #isRefusing = false
  /** Changes are made one after the other. */
  #changed: Promise<void> = Promise.resolve()

  private constructor(proxy: Proxy) {
    this.proxy = proxy
  }

  /** @throws {ChaosError} CHAOS_BIND, CHAOS_ADDRESS */
  static async open(options: WayOptions, events: EventHub): Promise<Way> {
    const { seed, ...rest } = options
    return new Way(await startProxy({ ...rest, ...(seed === undefined ? {} : { seed }) }, events))
  }

  get state(): WayState {
    return this.#state
  }

  /**
   * Bytes are lost from when it was called; a listener that goes or comes back is waited for.
   *
   * @throws {ChaosError} CHAOS_BIND: its port was taken while it refused
   */
  become(state: WayState): Promise<void> {
    const before = this.#state
    this.#state = state
    const rules = this.proxy.rules
    const requests = faultsOf(state)
    const isHard = state.mode === 'reset' || state.mode === 'refuse'
    const wasHard = before.mode === 'reset' || before.mode === 'refuse'
    // What there is already stays: taken away it would close connections that have lost bytes, and not by a reset.
    const stays = ({ name, type }: Rule): boolean =>
      (isHard && name !== 'cut_new') || requests.some((each) => each.name === name && each.type === type)
    const kept = rules.all().filter((rule) => isCut(rule.name) && stays(rule))
    const gone = rules.all().filter((rule) => isCut(rule.name) && !kept.includes(rule))
    const added = requests.filter(({ name }) => !kept.some((rule) => rule.name === name))
    const severed: FaultRequest[] =
      isHard && !wasHard && !kept.some(({ name }) => name === 'cut_open')
        ? [{ type: 'sever', name: 'cut_open' }]
        : []
    if (gone.length + added.length + severed.length > 0) rules.exchange(gone, [...added, ...severed])
    const done = this.#changed.then(() => this.#listen())
    this.#changed = done.catch(() => {})
    return done
  }

  async close(): Promise<void> {
    await this.#changed
    await this.proxy.close()
  }

  async #listen(): Promise<void> {
    const refuses = this.#state.mode === 'refuse'
    if (refuses === this.#isRefusing) return
    // Resets are on their way; closing now would end those connections in order.
    if (refuses) await new Promise((resolve) => setTimeout(resolve, 5))
    await (refuses ? this.proxy.disable() : this.proxy.enable())
    this.#isRefusing = refuses
  }
}

function faultsOf({ mode, lost }: WayState): FaultRequest[] {
  const requests: FaultRequest[] = []
  if (lost.upstream) requests.push({ type: 'blackhole', name: 'cut_upstream', stream: 'upstream' })
  if (lost.downstream) requests.push({ type: 'blackhole', name: 'cut_downstream', stream: 'downstream' })
  if (mode === 'reset') requests.push({ type: 'refuse', name: 'cut_new' })
  // Where nothing gets through either way, the other end never hears of new connections.
  else if (lost.upstream && lost.downstream) requests.push({ type: 'ignore', name: 'cut_new' })
  return requests
}
