import type { Proxies, Proxy } from '@loads-runner/chaos'
import type { OutputStream } from '../world.ts'

const lineMs = 10_000
const liveMs = 500

/** What the proxies do, in a few words: a line for each that did something, every ten seconds; on a terminal one live line. */
export class ProxySummary {
  readonly #proxies: Pick<Proxies, 'all'>
  readonly #output: OutputStream
  readonly #said = new Map<string, string>()
  readonly #timer: NodeJS.Timeout
  #shown = ''

  constructor(proxies: Pick<Proxies, 'all'>, output: OutputStream) {
    this.#proxies = proxies
    this.#output = output
    this.#timer = output.isTTY
      ? setInterval(() => this.#showLive(), liveMs)
      : setInterval(() => this.#sayChanged(), lineMs)
    this.#timer.unref()
  }

  /** Says what there was in the end. */
  close(): void {
    clearInterval(this.#timer)
    if (this.#output.isTTY) this.#output.write('\r\u001B[K')
    this.#sayChanged()
  }

  #sayChanged(): void {
    for (const proxy of this.#proxies.all()) {
      const text = countsOf(proxy)
      if ((this.#said.get(proxy.name) ?? nothing) === text) continue
      this.#said.set(proxy.name, text)
      this.#output.write(`${proxy.name}: ${text}\n`)
    }
  }

  #showLive(): void {
    const parts = this.#proxies.all().map((proxy) => `${proxy.name}: ${countsOf(proxy)}`)
    const width = (this.#output.columns ?? 80) - 1
    const whole = parts.join(' | ')
    const text = whole.length > width ? `${whole.slice(0, width - 1)}…` : whole
    if (text === this.#shown) return
    this.#shown = text
    this.#output.write(`\r\u001B[K${text}`)
  }
}

const nothing = '0 connections, 0 open'

/** `34 connections, 2 open, 3 dial errors, faults: delay 20, http_error 5` */
function countsOf(proxy: Pick<Proxy, 'counters'>): string {
  const { accepted, open, dialErrors, faults } = proxy.counters()
  const injected = Object.entries(faults).filter(([, count]) => count > 0)
  return [
    `${accepted} connections, ${open} open`,
    ...(dialErrors > 0 ? [`${dialErrors} dial errors`] : []),
    ...(injected.length > 0
      ? [`faults: ${injected.map(([type, count]) => `${type} ${count}`).join(', ')}`]
      : []),
  ].join(', ')
}
