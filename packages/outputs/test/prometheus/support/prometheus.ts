import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Skips where Prometheus is not installed; where tests must be complete that is a failure. */
export function needPrometheus(context: Mocha.Context): void {
  if (spawnSync('prometheus', ['--version']).status === 0) return
  if (process.env.CI !== undefined) throw new Error('prometheus is not installed: apt-get install prometheus')
  console.warn('SKIPPED: prometheus is not installed (apt-get install prometheus)')
  context.skip()
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export interface Sample {
  metric: Record<string, string>
  value: number
}

/** A real Prometheus with its data in a directory of its own. */
export class Prometheus {
  readonly url: string
  readonly #child: ChildProcess
  readonly #directory: string

  private constructor(url: string, child: ChildProcess, directory: string) {
    this.url = url
    this.#child = child
    this.#directory = directory
  }

  static async start(
    options: { native?: boolean; scrape?: string; password?: string } = {},
  ): Promise<Prometheus> {
    const directory = await mkdtemp(join(tmpdir(), 'loads-prometheus-'))
    const jobs =
      options.scrape === undefined
        ? ''
        : `scrape_configs:\n  - job_name: loads\n    static_configs:\n      - targets: ['${options.scrape}']\n`
    const config = join(directory, 'prometheus.yml')
    await writeFile(config, `global:\n  scrape_interval: 500ms\n  scrape_timeout: 400ms\n${jobs}`)
    const port = await freePort()
    const args = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-remote-write-receiver',
      ...(options.native === false ? [] : ['--enable-feature=native-histograms']),
    ]
    const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr!.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-4_000)))
    const prometheus = new Prometheus(`http://127.0.0.1:${port}`, child, directory)
    const deadline = performance.now() + 50_000
    for (;;) {
      if (child.exitCode !== null) throw new Error(`prometheus has ended:\n${said}`)
      const ready = await fetch(`${prometheus.url}/-/ready`).catch(() => null)
      if (ready?.status === 200) return prometheus
      if (performance.now() > deadline) throw new Error(`prometheus does not get ready:\n${said}`)
      await sleep(50)
    }
  }

  /** An instant query; at a moment in milliseconds since the epoch, or now. */
  async query(query: string, atMs: number | null = null): Promise<Sample[]> {
    const body = new URLSearchParams({ query, ...(atMs === null ? {} : { time: String(atMs / 1000) }) })
    const response = await fetch(`${this.url}/api/v1/query`, { method: 'POST', body })
    const answer = (await response.json()) as {
      error?: string
      data: { result: { metric: Record<string, string>; value?: [number, string] }[] }
    }
    if (answer.error !== undefined) throw new Error(`${query}: ${answer.error}`)
    return answer.data.result.map(({ metric, value }) => ({ metric, value: Number(value?.[1]) }))
  }

  /** The one number that a query gives. */
  async number(query: string, atMs: number | null = null): Promise<number> {
    const samples = await this.query(query, atMs)
    if (samples.length !== 1) throw new Error(`${query} gives ${samples.length} samples`)
    return samples[0]!.value
  }

  /** Waits until a query gives something. */
  async until(query: string): Promise<Sample[]> {
    const deadline = performance.now() + 40_000
    for (;;) {
      const samples = await this.query(query)
      if (samples.length > 0) return samples
      if (performance.now() > deadline) throw new Error(`${query} gives nothing`)
      await sleep(100)
    }
  }

  /**
   * Waits until a metric has been scraped; the moment of that, in milliseconds since the epoch. What is asked for that
   * moment stays as it is: after a scrape that got no answer in time there is nothing for a while.
   */
  async scraped(metric: string): Promise<number> {
    const [latest] = await this.until(`max(max_over_time(timestamp(${metric})[5m:100ms]))`)
    return Math.round(latest!.value * 1000)
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const gone = once(this.#child, 'exit')
      this.#child.kill('SIGKILL')
      await gone
    }
    await rm(this.#directory, { recursive: true, force: true })
  }
}
