import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { ChaosError } from '../errors.ts'
import type { Recorded, Unit } from '../rules/decider.ts'
import type { Rule } from '../rules/rule.ts'
import { logFormat, type LogHeader, type LoggedProxy } from './log-entry.ts'

/** A decision takes about 150 bytes of memory. */
const mostFaults = 5_000_000

/** What a log of events says: who was hit, and by what. */
export interface Recording {
  /** Version of the program that wrote it. */
  version: string
  /** As they were when the log began. */
  proxies: readonly LoggedProxy[]
  /** Faults in it. */
  faults: number
  /** Faults that were lost when it was written, and so are not made again. */
  lostFaults: number
  /** Changes of faults while it was written: they are not made again by themselves. */
  changes: number
  /** Of a proxy in the log, also one that was made while it was written. */
  seedOf(proxy: string): number | undefined
  /** Decides as it was decided then; of a proxy that is not in the log, that nobody is hit. */
  decisionsOf(proxy: string): Recorded
}

/**
 * Reads a log of events for a replay.
 *
 * @throws {ChaosError} CHAOS_REPLAY with file and line, and what to do
 */
export async function readRecording(file: string): Promise<Recording> {
  const reader = new RecordingReader(file)
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity })
  try {
    for await (const line of lines) reader.take(line)
  } catch (error) {
    if (error instanceof ChaosError) throw error
    throw new ChaosError('CHAOS_REPLAY', `cannot read ${file}: ${(error as Error).message}`, { cause: error })
  } finally {
    lines.close()
  }
  return reader.done()
}

type Decisions = Map<string, number>

class RecordingReader {
  readonly #file: string
  #line = 0
  #header: LogHeader | null = null
  readonly #seeds = new Map<string, number>()
  readonly #decisions = new Map<string, Decisions>()
  #faults = 0
  #lostFaults = 0
  #changes = 0

  constructor(file: string) {
    this.#file = file
  }

  take(line: string): void {
    this.#line++
    if (line.trim() === '') return
    const entry = this.#parse(line)
    if (this.#header === null) this.#header = this.#headerOf(entry)
    else if (entry['type'] === 'fault') this.#takeFault(entry)
    else if (entry['type'] === 'listen') {
      const { proxy, seed } = entry
      if (typeof proxy !== 'string' || !isCount(seed)) throw this.#damaged('its listen event has no seed')
      this.#seeds.set(proxy, seed)
    } else if (entry['type'] === 'lost') this.#lostFaults += isCount(entry['faults']) ? entry['faults'] : 0
    else if (entry['type'] === 'change' && entry['rule'] !== undefined) this.#changes++
  }

  done(): Recording {
    const header = this.#header
    if (header === null)
      throw new ChaosError('CHAOS_REPLAY', `${this.#file}: is empty; give a file that --events wrote`)
    const seeds = this.#seeds
    const decisions = this.#decisions
    return {
      version: header.version,
      proxies: header.proxies,
      faults: this.#faults,
      lostFaults: this.#lostFaults,
      changes: this.#changes,
      seedOf: (proxy) => seeds.get(proxy),
      decisionsOf: (proxy) => recordedBy(decisions.get(proxy) ?? new Map<string, number>()),
    }
  }

  #parse(line: string): Record<string, unknown> {
    let entry: unknown
    try {
      entry = JSON.parse(line)
    } catch {
      throw this.#damaged('is not JSON')
    }
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
      throw this.#damaged('is no event')
    return entry as Record<string, unknown>
  }

  #headerOf(entry: Record<string, unknown>): LogHeader {
    const { type, format, proxies, version } = entry
    if (type !== 'log' || !Array.isArray(proxies))
      throw this.#wrong('is no header of a log; give a file that --events wrote')
    if (format !== logFormat)
      throw this.#wrong(
        `has format ${String(format)}, and this version reads ${logFormat}; replay it with version ${String(version)}`,
      )
    for (const proxy of proxies as (Partial<LoggedProxy> | null)[]) {
      const texts = [proxy?.name, proxy?.listen, proxy?.backend, proxy?.protocol]
      if (!texts.every((text) => typeof text === 'string') || !isCount(proxy?.seed))
        throw this.#wrong('its header is damaged; record again')
      this.#seeds.set(proxy!.name!, proxy!.seed!)
    }
    return entry as unknown as LogHeader
  }

  #takeFault(entry: Record<string, unknown>): void {
    const { proxy, connection, direction, rule, unit, ordinal, draw } = entry
    if (
      typeof proxy !== 'string' ||
      typeof direction !== 'string' ||
      typeof rule !== 'string' ||
      typeof unit !== 'string' ||
      !isCount(connection) ||
      !isCount(ordinal) ||
      typeof draw !== 'number'
    )
      throw this.#damaged('is no whole fault event')
    if (++this.#faults > mostFaults)
      throw this.#wrong(`is fault ${mostFaults + 1}, more than memory is kept for; record a shorter time`)
    let decisions = this.#decisions.get(proxy)
    if (decisions === undefined) this.#decisions.set(proxy, (decisions = new Map<string, number>()))
    decisions.set(keyOf(rule, unit, direction, connection, ordinal), draw)
  }

  #damaged(what: string): ChaosError {
    const whole = `head -n ${this.#line - 1} ${this.#file} > whole.ndjson`
    return this.#wrong(`${what}: the log was cut or changed; keep what is before it: ${whole}`)
  }

  #wrong(what: string): ChaosError {
    return new ChaosError('CHAOS_REPLAY', `${this.#file}:${this.#line}: ${what}`)
  }
}

function recordedBy(decisions: Decisions): Recorded {
  return (rule: Rule, unit: Unit) => {
    const draw = decisions.get(keyOf(rule.name, rule.unit, unit.direction, unit.connection, unit.ordinal))
    return draw === undefined ? null : { rule, draw }
  }
}

function keyOf(rule: string, unit: string, direction: string, connection: number, ordinal: number): string {
  return `${connection} ${ordinal} ${direction} ${unit} ${rule}`
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
