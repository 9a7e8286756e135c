import { readFileSync, writeSync } from 'node:fs'
import { loadModule, type ProxyConfig } from '@loads-runner/chaos'
import type { Log } from '../place.ts'
import { ProxyServer } from '../proxy-server/proxy-server.ts'
import { warningLine } from './proxy-warning.ts'

/** What the process of a run's proxies is told on descriptor 3. */
export interface ProxyOrder {
  config: ProxyConfig
  /** Directory that the files of the configuration belong to. */
  directory: string
  token: string
  /** Where the log of events goes; null: nowhere. */
  events: string | null
}

/** The proxies of one run, until standard input ends: then whoever started us is gone. */
async function main(): Promise<void> {
  const told = untilToldToStop()
  const { config, directory, token, events } = JSON.parse(readFileSync(3, 'utf8')) as ProxyOrder
  for (const module of config.modules) await loadModule(module, directory)
  let url = ''
  const server = await ProxyServer.start({
    ...config,
    scheduleBegins: 'over HTTP',
    control: { host: '127.0.0.1', port: 0, token },
    events,
    log,
    onListening: (what) => {
      if (what.what === 'control') url = what.url
    },
  })
  announce({ control: url })
  await told
  await server.close()
}

async function untilToldToStop(): Promise<void> {
  await new Promise<void>((told) => {
    process.stdin
      .on('end', told)
      .on('error', () => told())
      .resume()
    process.once('SIGTERM', told)
  })
}

/** Whoever started us says warnings to the user. */
const log: Log = (level, text) => {
  if (level === 'warning' || level === 'error') process.stderr.write(warningLine(text))
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
