/** Which requests a rule is for; all that are named must hold. What a protocol does not know never holds. */
export interface Match {
  /** Methods of HTTP, commands of Redis and memcached, verbs of SMTP, statement words of SQL; any case. */
  verb?: readonly string[]
  /** A path of HTTP without its query, a key of Redis or memcached; `*` stands for any text. */
  path?: string
  /** Headers of HTTP; the value as text with `*`. Names in any case. */
  header?: Readonly<Record<string, string>>
  /** Any text of the request's first line or statement, with `*`. */
  text?: string
  /** Addresses of clients without port, with `*`. */
  client?: string
}

/** What a match looks at. */
export interface Matchable {
  /** Upper case; null where the protocol has none. */
  verb: string | null
  path: string | null
  text: string | null
  /** Undefined: not there. Only asked for when a rule needs it. */
  header(name: string): string | undefined
}
