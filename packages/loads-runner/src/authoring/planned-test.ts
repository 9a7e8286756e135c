import type { Code, Expression, Fields } from './expression.ts'

/** A test module before it is text: what every importer makes and `test-module.ts` writes. */

export interface PlannedModule {
  /** Lines at the top. */
  comments: string[]
  classes: PlannedClass[]
}

export interface PlannedClass {
  name: string
  comments: string[]
  /** Where relative URLs go; null where all are absolute. */
  serverUrl: string | null
  methods: PlannedMethod[]
}

export interface PlannedMethod {
  name: string
  requests: PlannedRequest[]
}

export interface PlannedRequest {
  /** Lines before it. */
  comments: string[]
  /** Milliseconds to wait before it; null: none. */
  pauseMs: number | null
  method: string
  /** With `:name` parts for `params`. */
  url: string
  params: Fields
  query: Fields
  headers: Fields
  auth: Fields | null
  body: PlannedBody | null
  /** The status that the test asserts; `ok` for any that is no failure; null: whatever comes. */
  expected: number | 'ok' | null
  /** Name of the variable of the answer, where one is needed. */
  variable: string
  captures: Capture[]
}

export type PlannedBody =
  | { type: 'json' | 'form'; value: Expression }
  | { type: 'text'; value: Expression }
  /** Base64. */
  | { type: 'bytes'; base64: string }
  | { type: 'multipart'; variable: string; parts: FormPart[] }

export interface FormPart {
  name: string
  /** A text, or code that makes a Blob. */
  value: Expression
  fileName: string | null
  contentType: string | null
  /** The bytes of a file that is no text. */
  base64: string | null
}

/** A value of a JSON answer that a later request uses. */
export interface Capture {
  variable: Code
  path: readonly (string | number)[]
  type: 'string' | 'number'
}
