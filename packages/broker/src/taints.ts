import type { TaintReason } from '@loads-runner/metrics'

/** Spans kept per agent; where there would be more, the last one grows over what lies between. */
const mostSpans = 500

/** A time in which an agent did not keep up. */
export interface Taint {
  fromSecond: number
  toSecond: number
  reasons: TaintReason[]
}

/** The times in which one agent did not keep up; those that touch and have the same reasons are one. */
export class Taints {
  readonly #spans: { fromMs: number; toMs: number; reasons: TaintReason[] }[] = []

  add(fromMs: number, toMs: number, reasons: TaintReason[]): void {
    if (reasons.length === 0) return
    const last = this.#spans.at(-1)
    const touches = last !== undefined && last.toMs === fromMs && last.reasons.join() === reasons.join()
    if (last === undefined || (!touches && this.#spans.length < mostSpans)) {
      this.#spans.push({ fromMs, toMs, reasons })
      return
    }
    last.toMs = Math.max(last.toMs, toMs)
    for (const reason of reasons) if (!last.reasons.includes(reason)) last.reasons.push(reason)
  }

  all(): Taint[] {
    return this.#spans.map(({ fromMs, toMs, reasons }) => {
      return { fromSecond: seconds(fromMs), toSecond: seconds(toMs), reasons: [...reasons] }
    })
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10
}
