import { InfluxDB, Raw, type IPoint } from 'influx'
import { messageOf, OutputError } from '../errors.ts'
import type { InfluxAddress } from './address.ts'
import { fieldText, storable, tagsOf, tagText } from './line-protocol.ts'
import type { Point } from './point.ts'
import type { PointWriter, WriteAnswer } from './point-writer.ts'

/** What the client would do itself is left to those who feed outputs: they know how long to wait, and say so. */
const noBackoff = {
  getDelay: () => 0,
  next: () => noBackoff,
  reset: () => noBackoff,
}

/** What the client says by itself in an error that has the words of an answer otherwise. */
const ownWords: ReadonlySet<string> = new Set(['Request timed out', 'No host available'])

/** Writes points to InfluxDB 1 by its client. */
export class ClientWriter implements PointWriter {
  readonly target: string
  readonly accessHint: string
  readonly missingHint: string
  readonly #database: string
  readonly #retentionPolicy: string | null
  readonly #user: string | null
  readonly #client: InfluxDB
  /** The client's writes know no signal, but all of its requests take options, and those are read each time. */
  readonly #request: { signal?: AbortSignal } = {}

  constructor({ base, names, user, password, options }: InfluxAddress) {
    const { protocol, hostname, port, pathname } = new URL(base)
    this.#database = names[0]!
    this.#retentionPolicy = options['rp'] ?? null
    this.#user = user
    this.target = `${base}/${this.#database}`
    this.accessHint =
      user === null
        ? 'it wants a user: write influx:http://USER:PASSWORD@HOST:8086/DATABASE, or USER alone with LOADS_INFLUX_PASSWORD set'
        : `check the password of ${user}, and what it may do there: GRANT WRITE ON "${this.#database}" TO "${user}"`
    this.missingHint = `make it there: CREATE DATABASE "${this.#database}"`
    this.#client = new InfluxDB({
      protocol: protocol === 'https:' ? 'https' : 'http',
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
      path: pathname === '/' ? '' : pathname,
      database: this.#database,
      ...(user === null ? {} : { username: user, password: password ?? '' }),
      pool: { backoff: noBackoff, maxRetries: 0 },
      options: this.#request,
    })
  }

  async prepare(signal: AbortSignal): Promise<void> {
    await this.#asked(signal, 'see its databases', async () => {
      const names = await this.#client.getDatabaseNames()
      // An admin sees all; others see those that they may use, and may not make one.
      if (!names.includes(this.#database)) await this.#create()
    })
    if (this.#retentionPolicy !== null) await this.#findPolicy(this.#retentionPolicy, signal)
  }

  async send(points: readonly Point[], signal: AbortSignal): Promise<WriteAnswer> {
    this.#request.signal = signal
    try {
      await this.#client.writePoints(points.map(clientPoint), {
        precision: 'ms',
        ...(this.#retentionPolicy === null ? {} : { retentionPolicy: this.#retentionPolicy }),
      })
      return { status: 204, text: '', retryAfterMs: null }
    } catch (error) {
      const answer = answerOf(error)
      if (answer === null) throw this.#broken(error) ?? error
      return answer
    }
  }

  async close(): Promise<void> {}

  async #create(): Promise<void> {
    try {
      await this.#client.createDatabase(this.#database)
    } catch (error) {
      if (answerOf(error)?.status !== 403) throw error
      const whose = this.#user === null ? 'without a user' : `${this.#user} may not make it`
      throw new OutputError(
        'OUTPUT_REFUSED',
        `${this.target}: there is no such database, and ${whose}; ${this.missingHint}`,
        { cause: error },
      )
    }
  }

  async #findPolicy(wanted: string, signal: AbortSignal): Promise<void> {
    const policies = await this.#asked(signal, 'see its retention policies', () =>
      this.#client.showRetentionPolicies(this.#database),
    )
    if (policies.some(({ name }) => name === wanted)) return
    const there = policies.map(({ name }) => name).join(', ')
    throw new OutputError(
      'OUTPUT_REFUSED',
      `${this.target} has no retention policy "${wanted}" (it has ${there}); ` +
        `make it there: CREATE RETENTION POLICY "${wanted}" ON "${this.#database}" DURATION 30d REPLICATION 1`,
    )
  }

  /** The client throws the words alone of a status from 500 on; null for what was no answer. */
  #broken(error: unknown): OutputError | null {
    if (!(error instanceof Error) || error.constructor.name !== 'ServiceNotAvailableError') return null
    if (ownWords.has(error.message)) return null
    return new OutputError('OUTPUT_UNAVAILABLE', `${this.target} answered: ${error.message}`, {
      cause: error,
    })
  }

  async #asked<T>(signal: AbortSignal, what: string, ask: () => Promise<T>): Promise<T> {
    this.#request.signal = signal
    try {
      return await ask()
    } catch (error) {
      const answer = answerOf(error)
      if (answer === null || (answer.status !== 401 && answer.status !== 403))
        throw this.#broken(error) ?? error
      throw new OutputError(
        'OUTPUT_REFUSED',
        `${this.target} does not let us ${what} (${answer.text}); ${this.accessHint}`,
        { cause: error },
      )
    }
  }
}

/**
 * Texts are escaped here, by the rules that the other versions have, too: the client leaves out line breaks and
 * backslashes at the end.
 */
function clientPoint(point: Point): IPoint {
  const tags: Record<string, unknown> = {}
  // The client escapes keys itself.
  for (const [name, value] of tagsOf(point)) tags[storable(name)] = new Raw(tagText(value))
  const fields: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(point.fields))
    fields[name] = typeof value === 'string' ? { toString: () => fieldText(value) } : value
  return {
    measurement: point.measurement,
    tags: tags as Record<string, string>,
    fields,
    timestamp: point.at,
  }
}

/** What the client throws for answers: `A 400 Bad Request error occurred: {"error":"..."}`, with the answer at hand. */
function answerOf(error: unknown): WriteAnswer | null {
  const { res } = error as { res?: { statusCode?: number } }
  if (typeof res?.statusCode !== 'number') return null
  const text = messageOf(error)
  const said = /error occurred: (.*)$/s.exec(text)?.[1] ?? text
  return { status: res.statusCode, text: errorIn(said), retryAfterMs: null }
}

function errorIn(body: string): string {
  try {
    const { error } = JSON.parse(body) as { error?: unknown }
    return typeof error === 'string' ? error : body.trim()
  } catch {
    return body.trim()
  }
}
