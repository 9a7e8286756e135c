import { readFileSync, writeSync } from 'node:fs'
import {
  ControlServer,
  EventHub,
  EventLog,
  FaultSchedule,
  loadModule,
  loggedProxy,
  PartitionMatrix,
  partitionRoutes,
  Proxies,
  scheduleRoutes,
  type Proxy,
  type ProxyConfig,
} from '@loads-runner/chaos'
import { version } from '../version.ts'

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
  const { config, directory, token, events: eventsFile } = JSON.parse(readFileSync(3, 'utf8')) as ProxyOrder
  for (const module of config.modules) await loadModule(module, directory)
  const events = new EventHub()
  const proxies = new Proxies({ events, ...(config.seed === null ? {} : { seed: config.seed }) })
  const created: Proxy[] = []
  for (const options of config.proxies) created.push(await proxies.create({ ...options, enabled: false }))
  // The header of the log has the seeds, and the first event may come as soon as somebody can connect.
  const log =
    eventsFile === null
      ? null
      : await EventLog.open({
          file: eventsFile,
          events,
          version,
          proxies: created.map((proxy, at) => loggedProxy(proxy, config.proxies[at]!.tls !== undefined)),
        })
  for (const [at, proxy] of created.entries()) if (config.proxies[at]!.enabled !== false) await proxy.enable()
  const matrix = await openWays(config, events)
  const schedule = new FaultSchedule(config.schedule ?? [], {
    target: (name) => proxies.get(name),
    ...(matrix === null ? {} : { partitions: matrix }),
    onStep: ({ state, name, detail }) => {
      if (state === 'failed') process.stderr.write(`schedule: ${name}: ${detail}\n`)
    },
  })
  const control = await ControlServer.start({
    proxies,
    port: 0,
    token,
    version,
    modules: [scheduleRoutes(schedule), ...(matrix === null ? [] : [partitionRoutes(matrix)])],
  })
  announce({ control: control.url })
  await new Promise<void>((told) => {
    process.stdin.on('end', told).on('error', told).resume()
    process.once('SIGTERM', told)
  })
  await control.close()
  await matrix?.close()
  await proxies.close()
  await log?.close()
}

async function openWays(
  { partitions, seed }: ProxyConfig,
  events: EventHub,
): Promise<PartitionMatrix | null> {
  if (partitions === null) return null
  const { endpoints, ways } = partitions
  const matrix = new PartitionMatrix({ endpoints, events, ...(seed === null ? {} : { seed }) })
  for (const { from, to, listen } of ways) await matrix.address(from, to, listen)
  return matrix
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
