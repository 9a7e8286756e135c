import type { OutputEnvironment } from '../environment.ts'
import { exchange, reasonOf } from '../exposition/http.ts'
import { credentials } from './credentials.ts'
import { figureName } from './figure-name.ts'
import type { FigureSource } from './observer.ts'
import type { ObserverRequest } from './request.ts'

/** Largest answer that is read, in bytes. */
const mostBytes = 16_000_000

/** What the HTTP API of Prometheus answers to an instant query. */
interface Answer {
  status?: string
  error?: string
  data?: { resultType?: string; result?: unknown }
}

/** Answers of a Prometheus server to queries in its own language. */
export class QuerySource implements FigureSource {
  readonly #url: string
  readonly #headers: Record<string, string>
  readonly #queries: readonly { query: string; name: string | null }[]

  constructor(
    { address, queries }: Extract<ObserverRequest, { kind: 'query' }>,
    environment: OutputEnvironment,
  ) {
    this.#url = `${address.url.replace(/\/(api\/v1\/query)?\/?$/, '')}/api/v1/query`
    this.#headers = {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      ...credentials(address, environment),
    }
    this.#queries = queries
  }

  async read(signal: AbortSignal): Promise<Map<string, number>> {
    const values = new Map<string, number>()
    for (const { query, name } of this.#queries)
      for (const [readable, value] of await this.#ask(query, name, signal)) values.set(readable, value)
    return values
  }

  async #ask(query: string, name: string | null, signal: AbortSignal): Promise<[string, number][]> {
    const answer = await exchange(this.#url, {
      method: 'POST',
      headers: this.#headers,
      body: new URLSearchParams({ query }).toString(),
      signal,
      mostBytes,
    })
    const parsed = parse(answer.text)
    if (answer.status !== 200 || parsed?.status !== 'success')
      throw new Error(parsed?.error ?? reasonOf({ ...answer, text: answer.text.slice(0, 1_000) }))
    const { resultType, result } = parsed.data ?? {}
    if (resultType === 'scalar' && Array.isArray(result)) return [[name ?? query, Number(result[1])]]
    if (resultType !== 'vector' || !Array.isArray(result))
      throw new Error(`"${query}" gives a ${resultType ?? 'nothing'}; ask for an instant vector or a number`)
    const samples = result as { metric: Record<string, string>; value?: [number, string] }[]
    return samples.flatMap(({ metric, value }): [string, number][] => {
      const { __name__: own, ...labels } = metric
      // A native histogram has no one value.
      if (value === undefined) return []
      if (name !== null && samples.length === 1) return [[name, Number(value[1])]]
      return [[figureName(name ?? own ?? query, labels), Number(value[1])]]
    })
  }
}

function parse(text: string): Answer | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? (value as Answer | null) : null
  } catch {
    return null
  }
}
