import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UsageError } from '../errors.ts'

/** What is larger is no input for a test that a person will read. Bytes. */
const mostBytes = 256 * 1024 * 1024

/**
 * The text of a file; `-` is standard input.
 *
 * @throws {UsageError} it cannot be read, or is too large
 */
export async function readInput(cwd: string, file: string): Promise<string> {
  const path = file === '-' ? '/dev/stdin' : resolve(cwd, file)
  try {
    const { size } = await stat(path)
    if (size > mostBytes) throw new UsageError(`${file}: ${size} bytes are too many (${mostBytes} at most)`)
    // Some tools put a byte order mark in front.
    return (await readFile(path, 'utf8')).replace(/^\ufeff/, '')
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`cannot read ${file}: ${(error as Error).message}`)
  }
}

/**
 * @throws {UsageError} no JSON; names file, line and column where they are known
 */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const { message } = error as Error
    const position = / at position (\d+)/.exec(message)?.[1]
    const place = position === undefined ? '' : `:${placeOf(text, Number(position))}`
    throw new UsageError(`${file}${place}: is no JSON: ${message}`)
  }
}

/** `LINE:COLUMN`, from 1. */
function placeOf(text: string, position: number): string {
  const before = text.slice(0, position)
  const lineStart = before.lastIndexOf('\n') + 1
  return `${before.split('\n').length}:${position - lineStart + 1}`
}

/** A value in a parsed file that knows its place, so that what is wrong with it can be said. */
export class Node {
  readonly value: unknown
  readonly #file: string
  readonly #place: string

  constructor(value: unknown, file: string, place = '') {
    this.value = value
    this.#file = file
    this.#place = place
  }

  /** @throws {UsageError} always: names file and place */
  fail(problem: string): never {
    throw new UsageError(`${this.#file}: ${this.#place === '' ? '' : `${this.#place}: `}${problem}`)
  }

  get place(): string {
    return this.#place
  }

  /** What is under this key; undefined where nothing is. */
  at(key: string): Node {
    const value = this.record()[key]
    const step = /^[A-Za-z_$][\w$]*$/.test(key)
      ? `${this.#place === '' ? '' : '.'}${key}`
      : `[${JSON.stringify(key)}]`
    return new Node(value, this.#file, this.#place + step)
  }

  get missing(): boolean {
    return this.value === undefined || this.value === null
  }

  record(): Record<string, unknown> {
    const { value } = this
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      this.fail(this.missing ? 'is missing' : 'must be an object')
    return value as Record<string, unknown>
  }

  /** Its entries; none where it is missing. */
  entries(): [string, Node][] {
    return this.missing ? [] : Object.keys(this.record()).map((key) => [key, this.at(key)])
  }

  /** Its items; none where it is missing. */
  items(): Node[] {
    const { value } = this
    if (this.missing) return []
    if (!Array.isArray(value)) this.fail('must be a list')
    return (value as unknown[]).map((each, index) => new Node(each, this.#file, `${this.#place}[${index}]`))
  }

  text(): string {
    const { value } = this
    if (typeof value !== 'string') this.fail(this.missing ? 'is missing' : 'must be a text')
    return value as string
  }

  textOr(fallback: string): string {
    return this.missing ? fallback : this.text()
  }

  number(): number {
    const { value } = this
    if (typeof value !== 'number') this.fail(this.missing ? 'is missing' : 'must be a number')
    return value as number
  }

  numberOr(fallback: number): number {
    return this.missing ? fallback : this.number()
  }
}
