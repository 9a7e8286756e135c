import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

/** A row of an answer, by the names of its columns, tags that were grouped by included. */
export type Row = Record<string, string | number | boolean | null>

/** Skips a test, loudly, where there is no influxd; on CI that is a failure. */
export function needInfluxd(test: Mocha.Context): void {
  if (spawnSync('influxd', ['version']).error === undefined) return
  const reason = 'influxd is not installed: apt-get install influxdb'
  if (process.env['CI']) throw new Error(reason)
  console.warn(`SKIPPED: ${reason}`)
  test.skip()
}

/** A real InfluxDB 1 with directories and ports of its own. It can be stopped and started again with what it has. */
export class Influxd {
  readonly #directory: string
  readonly #auth: boolean
  #port = 0
  #child: ChildProcess | null = null

  private constructor(directory: string, auth: boolean) {
    this.#directory = directory
    this.#auth = auth
  }

  /** @param options.auth users are asked who they are */
  static async start({ auth = false } = {}): Promise<Influxd> {
    const influxd = new Influxd(await mkdtemp(join(tmpdir(), 'loads-influxd-')), auth)
    await influxd.resume()
    return influxd
  }

  /** `http://127.0.0.1:PORT` */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** Starts it, on the port that it had before; nothing where it runs. */
  async resume(): Promise<void> {
    if (this.#child !== null) return
    const file = join(this.#directory, 'influxdb.conf')
    await writeFile(file, this.#configuration())
    const child = spawn('influxd', ['-config', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: this.#directory },
    })
    this.#child = child
    this.#port = await listeningPort(child)
    for (let tries = 0; ; tries++) {
      const response = await fetch(`${this.url}/ping`).catch(() => null)
      if (response?.status === 204) return
      assert.ok(tries < 600, 'influxd does not answer')
      await delay(50)
    }
  }

  /** Ends it, as when its machine loses power. */
  async pause(): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  /** It stands still, with its connections open, or goes on. */
  freeze(frozen: boolean): void {
    this.#child?.kill(frozen ? 'SIGSTOP' : 'SIGCONT')
  }

  async stop(): Promise<void> {
    await this.pause()
    await rm(this.#directory, { recursive: true, force: true })
  }

  /** Asks in InfluxQL; times are milliseconds. Throws what the server says. */
  async query(query: string, { db = '', user = '', password = '' } = {}): Promise<Row[]> {
    const url = new URL('/query', this.url)
    const body = new URLSearchParams({ q: query, db, epoch: 'ms' })
    const headers: Record<string, string> = {}
    if (user !== '')
      headers['authorization'] = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    const response = await fetch(url, { method: 'POST', body, headers })
    const answer = (await response.json()) as {
      error?: string
      results?: { error?: string; series?: Series[] }[]
    }
    const error = answer.error ?? answer.results?.find((result) => result.error !== undefined)?.error
    if (error !== undefined) throw new Error(`${error} (in: ${query})`)
    return (answer.results ?? []).flatMap(({ series = [] }) => series.flatMap(rowsOf))
  }

  #configuration(): string {
    const at = (name: string) => JSON.stringify(join(this.#directory, name))
    return [
      'reporting-disabled = true',
      'bind-address = "127.0.0.1:0"',
      `[meta]\n  dir = ${at('meta')}`,
      `[data]\n  dir = ${at('data')}\n  wal-dir = ${at('wal')}\n  query-log-enabled = false`,
      '[monitor]\n  store-enabled = false',
      `[http]\n  bind-address = "127.0.0.1:${this.#port}"\n  auth-enabled = ${this.#auth}\n  log-enabled = false`,
    ].join('\n')
  }
}

interface Series {
  tags?: Record<string, string>
  columns: string[]
  /** Not there where a database has nothing. */
  values?: (string | number | boolean | null)[][]
}

function rowsOf({ tags = {}, columns, values = [] }: Series): Row[] {
  return values.map((value) => ({
    ...tags,
    ...Object.fromEntries(columns.map((column, index) => [column, value[index] ?? null])),
  }))
}

/** It says where it listens: `Listening on HTTP ... addr=127.0.0.1:43231`. */
function listeningPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const lines: string[] = []
    const read = (line: string) => {
      lines.push(line)
      const match = /Listening on HTTP.*?addr=\S*:(\d+)/.exec(line)
      if (match !== null) resolve(Number(match[1]))
    }
    createInterface(child.stdout!).on('line', read)
    createInterface(child.stderr!).on('line', read)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`influxd ended with ${code}:\n${lines.join('\n')}`)))
  })
}
