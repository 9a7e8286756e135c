import { readFileSync, writeSync } from 'node:fs'
import { ControlServer, EventLog, Proxies, type ProxyConfig } from '@loads-runner/chaos'
import { version } from '../version.ts'

/** What the process of a run's proxies is told on descriptor 3. */
export interface ProxyOrder {
  config: ProxyConfig
  token: string
  /** Where the log of events goes; null: nowhere. */
  events: string | null
}

/** The proxies of one run, until standard input ends: then whoever started us is gone. */
async function main(): Promise<void> {
  const order = JSON.parse(readFileSync(3, 'utf8')) as ProxyOrder
  const proxies = new Proxies(order.config.seed === undefined ? {} : { seed: order.config.seed })
  const log = order.events === null ? null : await EventLog.open(order.events, proxies.events, { version })
  for (const proxy of order.config.proxies) await proxies.create(proxy)
  const control = await ControlServer.start({
    proxies,
    host: '127.0.0.1',
    port: 0,
    token: order.token,
    version,
  })
  announce({ control: `http://127.0.0.1:${control.address.port}` })
  const told = new Promise<void>((told) => {
    process.stdin.on('end', told).on('error', told).resume()
    process.once('SIGTERM', told)
  })
  await told
  await control.close()
  await proxies.close()
  await log?.close()
}

function announce(answer: { control: string } | { error: string }): void {
  writeSync(4, `${JSON.stringify(answer)}\n`)
}

main().then(
  () => process.exit(0),
  (error: Error) => {
    announce({ error: error.message })
    process.exit(1)
  },
)
