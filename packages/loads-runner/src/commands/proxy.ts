import {
  ControlServer,
  EventHub,
  EventLog,
  FaultSchedule,
  loggedProxy,
  PartitionMatrix,
  partitionRoutes,
  Proxies,
  type ChaosEvent,
  type NamedProxyOptions,
  type Proxy,
} from '@loads-runner/chaos'
import { helpText } from '../command-line.ts'
import { UsageError } from '../errors.ts'
import type { Log } from '../place.ts'
import { faultList } from '../proxy-server/fault-list.ts'
import { proxyTable } from '../proxy-server/options.ts'
import { planProxies, type ProxyPlan } from '../proxy-server/plan-proxies.ts'
import { readProxySettings } from '../proxy-server/read-proxy-settings.ts'
import { ProxySummary } from '../proxy-server/summary.ts'
import { processLog, untilToldToStop } from '../standing-process.ts'
import { Teardown } from '../teardown.ts'
import { version } from '../version.ts'
import type { World } from '../world.ts'

const proxyText = {
  name: 'loads-proxy',
  usage: '--proxy HOST:PORT --backend HOST:PORT [options]',
  description:
    'Stands between clients and a backend and makes trouble by plan. Without a backend and a file it serves the control API alone.',
  epilogue: `
Options of behaviors: --behavior-NAME-OPTION VALUE, such as --behavior-delay-sleep 2s; --faults lists them all.
Every option is also, with LOADS_PROXY_ before it, a variable of the environment (LOADS_PROXY_BACKEND). The command
line wins, then the environment, then the file. With a file of several proxies --name says whose options are meant;
without it behavior, seed, timeout and mirror-upstream are for all.
Ctrl-C closes all connections and ends it; again: at once.

Exit codes: 0 ended when told to, 2 wrong use or configuration, 4 an address is in use, 70 a defect of Loads.
`,
}

/** `loads-proxy`: serves until it is told to stop. */
export async function proxyCommand(world: World): Promise<number> {
  const problems: string[] = []
  const invocation = await readProxySettings(world, problems)
  const { settings } = invocation
  if (invocation.help || invocation.version || settings.faults) {
    if (problems.length > 0) throw new UsageError(problems)
    world.stdout.write(
      invocation.help ? helpText(proxyTable, proxyText) : settings.faults ? faultList() : `${version}\n`,
    )
    return 0
  }
  const plan = await planProxies(world, invocation, problems)
  const log = processLog(world, settings.logLevel)
  for (const warning of plan.warnings) log('warning', warning)
  const teardown = new Teardown((name, error) => log('warning', `${name} did not stop: ${String(error)}`))
  // Whoever reads that it listens may end it at once. After the first signal nobody listens to them: the next ends the process.
  const told = untilToldToStop(world, false)
  try {
    await serve(world, plan, log, teardown)
    await told
    return 0
  } finally {
    await teardown.run()
  }
}

async function serve(world: World, plan: ProxyPlan, log: Log, teardown: Teardown): Promise<void> {
  const events = new EventHub()
  const proxies = new Proxies({ ...(plan.seed === null ? {} : { seed: plan.seed }), events })
  // The header of the log has the seeds, and the first event may come as soon as somebody can connect.
  const created: { proxy: Proxy; options: NamedProxyOptions }[] = []
  for (const options of plan.proxies)
    created.push({ proxy: await proxies.create({ ...options, enabled: false }), options })
  if (plan.events !== null) {
    const eventLog = await EventLog.open({
      file: plan.events,
      events,
      version,
      proxies: created.map(({ proxy, options }) => loggedProxy(proxy, options.tls !== undefined)),
      onTrouble: (text) => log('warning', text),
    })
    teardown.add('the log of events', () => eventLog.close())
  }
  teardown.add('the proxies', () => proxies.close())
  for (const { proxy, options } of created) {
    if (options.enabled !== false) await proxy.enable()
    world.stdout.write(`${lineOf(proxy, options)}\n`)
  }
  const matrix = plan.partitions === null ? null : await openWays(world, plan.partitions, events, plan.seed)
  if (matrix !== null) teardown.add('the partitions', () => matrix.close())
  if (plan.control !== null) {
    const { host, port, token } = plan.control
    const control = await ControlServer.start({
      proxies,
      host,
      port,
      version,
      ...(token === null ? {} : { token }),
      ...(matrix === null ? {} : { modules: [partitionRoutes(matrix)] }),
    })
    teardown.add('the control API', () => control.close())
    world.stdout.write(`control API at ${control.url}${token === null ? '' : ', with a token'}\n`)
  }
  if (plan.schedule !== null) await startSchedule(plan.schedule, proxies, matrix, log, teardown)
  const summary = new ProxySummary(proxies, world.stdout)
  teardown.add('the summary', async () => summary.close())
  // What was done to start and what is done to end is no news.
  const stopTelling = events.listen((event) => tell(log, event))
  teardown.add('what it tells', async () => stopTelling())
}

async function openWays(
  world: World,
  { endpoints, ways }: NonNullable<ProxyPlan['partitions']>,
  events: EventHub,
  seed: number | null,
): Promise<PartitionMatrix> {
  const matrix = new PartitionMatrix({ endpoints, events, ...(seed === null ? {} : { seed }) })
  try {
    for (const { from, to, listen } of ways) {
      const address = await matrix.address(from, to, listen)
      world.stdout.write(`way ${from} to ${to}: ${address} -> ${endpoints[to]}\n`)
    }
    return matrix
  } catch (error) {
    await matrix.close()
    throw error
  }
}

/** Its time begins now. */
async function startSchedule(
  steps: NonNullable<ProxyPlan['schedule']>,
  proxies: Proxies,
  matrix: PartitionMatrix | null,
  log: Log,
  teardown: Teardown,
): Promise<void> {
  const ofRun = steps.filter(({ trigger }) => trigger.when === 'phase').length
  if (ofRun > 0)
    log(
      'warning',
      `${ofRun} steps of the schedule go by phases of a run: here is none, so they are never done`,
    )
  const schedule = new FaultSchedule(steps, {
    target: (name) => proxies.get(name),
    ...(matrix === null ? {} : { partitions: matrix }),
    onStep: ({ name, state, detail }) =>
      log(
        state === 'failed' ? 'warning' : 'info',
        `schedule: ${name} ${state}${detail === null ? '' : `: ${detail}`}`,
      ),
  })
  teardown.add('the schedule', async () => void (await schedule.stop()))
  schedule.start()
}

/** `proxy mysql: 127.0.0.1:3307 -> localhost:3306, mysql, 5:hang, 2 faults, seed 7` */
function lineOf(proxy: Proxy, { behavior, faults = [], enabled }: NamedProxyOptions): string {
  return [
    `proxy ${proxy.name}: ${proxy.listen} -> ${proxy.backend}`,
    proxy.protocol.name,
    ...(behavior === undefined ? [] : [behavior]),
    ...(faults.length === 0 ? [] : [faults.length === 1 ? '1 fault' : `${faults.length} faults`]),
    `seed ${proxy.seed}`,
    ...(enabled === false ? ['not listening until it is enabled'] : []),
  ].join(', ')
}

function tell(log: Log, event: ChaosEvent): void {
  if (event.type === 'change') {
    const { what, rule } = event
    const text =
      rule === undefined
        ? what
        : `fault ${rule.name} ${what}: ${rule.type} ${JSON.stringify(rule.attributes)}`
    log('info', `${event.proxy}: ${text}`)
  } else log('debug', JSON.stringify(event))
}
