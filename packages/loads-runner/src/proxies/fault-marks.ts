import type { ChaosEvent } from '@loads-runner/chaos'
import type { Annotation } from '@loads-runner/protocol'
import { attributesText } from '../proxy-server/attributes-text.ts'

/** Turns what happens at proxies into marks and figures on the time axis of the run. */
export class FaultMarks {
  readonly #publish: (annotation: Annotation) => void
  readonly #open = new Map<string, string>()
  /** Injected since the last telling, by proxy and fault. */
  readonly #injected = new Map<string, number>()
  /** All that were injected, by proxy and fault. */
  readonly totals = new Map<string, number>()
  /** The same in one. */
  count = 0

  constructor(publish: (annotation: Annotation) => void) {
    this.#publish = publish
  }

  take(event: ChaosEvent): void {
    if (event.type === 'fault') {
      this.count++
      const key = `${event.proxy}: ${event.fault}`
      this.#injected.set(key, (this.#injected.get(key) ?? 0) + 1)
      this.totals.set(key, (this.totals.get(key) ?? 0) + 1)
      return
    }
    if (event.type !== 'change') return
    const { proxy, what, rule } = event
    if (what === 'added' && rule !== undefined) this.begin(proxy, rule)
    else if (what === 'removed' && rule !== undefined) this.#end(`${proxy}/${rule.name}`)
    else if (what === 'disabled') this.#begin(`${proxy}/down`, `${proxy}: down`, '')
    else if (what === 'enabled') this.#end(`${proxy}/down`)
    else if (what === 'deleted') this.#endAll(`${proxy}/`)
  }

  /** A fault that was there before anybody listened counts, too. */
  begin(
    proxy: string,
    {
      name,
      type,
      stream,
      toxicity,
      attributes,
    }: { name: string; type: string; stream: string; toxicity: number; attributes: object },
  ): void {
    const share = toxicity === 1 ? [] : [`${Math.round(toxicity * 10_000) / 100} %`]
    const shown = attributesText(type, attributes)
    const detail = [...share, stream, ...(shown === '' ? [] : [shown])].join(', ')
    this.#begin(`${proxy}/${name}`, `${proxy}: ${type}`, detail)
  }

  /** Tells how many were injected since the last time. @param seconds that have passed */
  tell(seconds: number): void {
    if (this.#injected.size === 0) return
    const values: Record<string, number> = {}
    for (const [key, count] of this.#injected) {
      values[`faults per second, ${key}`] = Math.round((count / seconds) * 1000) / 1000
      // What has stopped is told as 0 once.
      if (count === 0) this.#injected.delete(key)
      else this.#injected.set(key, 0)
    }
    this.#publish({ type: 'observation', values })
  }

  #begin(id: string, name: string, detail: string): void {
    if (this.#open.has(id)) return
    this.#open.set(id, name)
    this.#publish({ type: 'fault', id, name, state: 'begins', detail: detail.slice(0, 2000) })
  }

  #end(id: string): void {
    const name = this.#open.get(id)
    if (name === undefined) return
    this.#open.delete(id)
    this.#publish({ type: 'fault', id, name, state: 'ends', detail: '' })
  }

  #endAll(prefix: string): void {
    const ids = Array.from(this.#open.keys()).filter((id) => id.startsWith(prefix))
    for (const id of ids) this.#end(id)
  }
}
