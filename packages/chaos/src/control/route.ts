import type { IncomingMessage, ServerResponse } from 'node:http'
import { readJson } from './json-body.ts'
import type { Refusal } from './refusal.ts'

/** What a route answers: JSON, a text, nothing (204), or a stream that it writes itself from here on. */
export type Answer =
  | { status: number; json: unknown }
  | { status: number; text: string; type: string }
  | { status: 204 }
  | { stream: (response: ServerResponse) => void }

/** A call of a route. */
export class Call {
  readonly request: IncomingMessage
  readonly query: URLSearchParams
  readonly #parts: ReadonlyMap<string, string>

  constructor(request: IncomingMessage, query: URLSearchParams, parts: ReadonlyMap<string, string>) {
    this.request = request
    this.query = query
    this.#parts = parts
  }

  /** What stands in the place of `{name}` in the path. */
  part(name: string): string {
    return this.#parts.get(name) ?? ''
  }

  /**
   * The body, whatever its Content-Type says: some clients post JSON as a form.
   *
   * @throws {Refusal} 400, 413
   */
  json(): Promise<unknown> {
    return readJson(this.request)
  }
}

export interface Route {
  methods: readonly string[]
  /** `/proxies/{proxy}/toxics`: a part in braces stands for any one. */
  path: string
  answer(call: Call): Answer | Promise<Answer>
}

/** Routes that belong together. */
export interface RouteModule {
  readonly routes: readonly Route[]
  /** Its own shape of errors; by default that of Toxiproxy. */
  explain?(refusal: Refusal): unknown
  /** The server is closing: streams end. */
  close?(): void
}

export function json(status: number, value: unknown): Answer {
  return { status, json: value }
}

export const nothing: Answer = { status: 204 }
