/**
 * What outputs cost the load: hits per second with all of them on, to without any.
 */
import { createSocket } from 'node:dgram'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { inDirectory, loadsRunner, runCommand } from './command.ts'
import { median, medianAndRange } from './median.ts'
import { startNginx } from './nginx.ts'
import type { Bench } from './run.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const seconds = Number(process.env.BENCH_SECONDS ?? 6)
/** Different names of hits. */
const names = Number(process.env.BENCH_SERIES ?? 100)

export const bench: Bench = {
  async run() {
    const rates = { none: [] as number[], all: [] as number[] }
    const sinks = await startSinks()
    try {
      await inDirectory({}, async (serverDirectory) => {
        const nginx = await startNginx(serverDirectory, 0)
        try {
          await inDirectory(files(nginx.url), async (directory) => {
            for (let round = 0; round < rounds; round++) {
              rates.none.push(await rateWith([], directory))
              rates.all.push(await rateWith(sinks.outputs, directory))
            }
          })
        } finally {
          await nginx.stop()
        }
      })
    } finally {
      sinks.stop()
    }
    console.log(`  no output    ${medianAndRange(rates.none, 0)} hits/s`)
    console.log(`  all outputs  ${medianAndRange(rates.all, 0)} hits/s`)
    const pairs = rates.none.map((without, round) => rates.all[round]! / without)
    console.log(
      `  ratio of each round ${medianAndRange(pairs, 3)}, of the medians ${(median(rates.all) / median(rates.none)).toFixed(3)}`,
    )
    console.log(`  what arrived: ${sinks.received()}`)
  },
}

const files = (url: string) => ({
  'page.ts': `
    import { TestCase } from 'loads-runner'
    export class TestPage extends TestCase {
      async test_page() { await this.session.get('${url}', { name: 'page ' + this.random.integer(1, ${names}) }) }
    }`,
})

async function rateWith(outputs: readonly string[], directory: string): Promise<number> {
  const load = ['--users', '64', '--duration', `${seconds}s`, '--workers', '1']
  const options = outputs.flatMap((output) => ['-o', output])
  const command = [
    process.execPath,
    loadsRunner,
    'page',
    ...load,
    ...options,
    '--quiet',
    '--json',
    'summary.json',
  ]
  await runCommand(command, directory, (seconds + 60) * 1000)
  const text = await readFile(join(directory, 'summary.json'), 'utf8')
  return (JSON.parse(text) as { hits: { perSecond: number } }).hits.perSecond
}

/** Servers that take everything and do nothing with it. */
async function startSinks() {
  let packets = 0
  let requests = 0
  const udp = createSocket('udp4').on('message', () => packets++)
  await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve))
  const http = createServer((request, response) => {
    request.resume().on('end', () => {
      requests++
      const isQuery = request.url!.startsWith('/query')
      response.writeHead(isQuery || request.url!.startsWith('/v1') ? 200 : 204, {
        'Content-Type': 'application/json',
      })
      response.end(isQuery ? '{"results":[{}]}' : request.url!.startsWith('/v1') ? '{}' : '')
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const place = `127.0.0.1:${(http.address() as AddressInfo).port}`
  return {
    outputs: [
      'csv:figures.csv',
      'ndjson:figures.ndjson',
      'json:other.json',
      `statsd:127.0.0.1:${udp.address().port}`,
      `influx:http://${place}/loads`,
      `prometheus:http://${place}/api/v1/write`,
      'prometheus:127.0.0.1:0',
      `otlp:http://${place}`,
      `webhook:http://${place}/hook`,
    ],
    received: () => `${packets} packets, ${requests} requests`,
    stop: () => {
      udp.close()
      http.closeAllConnections()
      http.close()
    },
  }
}
