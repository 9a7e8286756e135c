import type { ChaosEvent, NamedProxyOptions, Proxy } from '@loads-runner/chaos'
import { helpText } from '../command-line.ts'
import { UsageError } from '../errors.ts'
import type { Log } from '../place.ts'
import { attributesText } from '../proxy-server/attributes-text.ts'
import { faultList } from '../proxy-server/fault-list.ts'
import { proxyTable } from '../proxy-server/options.ts'
import { planProxies, type ProxyPlan } from '../proxy-server/plan-proxies.ts'
import { ProxyServer, type Listening } from '../proxy-server/proxy-server.ts'
import { readProxySettings } from '../proxy-server/read-proxy-settings.ts'
import { ProxySummary } from '../proxy-server/summary.ts'
import { processLog, untilToldToStop } from '../standing-process.ts'
import { version } from '../version.ts'
import type { World } from '../world.ts'

const proxyText = {
  name: 'loads-proxy',
  usage: '--proxy HOST:PORT --backend HOST:PORT [options]',
  description:
    'Stands between clients and a backend and makes trouble by plan. Without a backend and a file it serves the control API alone.',
  epilogue: `
loads-proxy --proxy 3307 --backend localhost:3306 --protocol mysql --behavior 20:delay,5:error
loads-proxy --config proxies.yaml
curl -X PUT localhost:8474/behavior -d '{"name": "delay", "sleep": 2}'      # while it serves

Options of behaviors: --behavior-NAME-OPTION VALUE, such as --behavior-delay-sleep 2s; --faults lists them all.
Every option is also, with LOADS_PROXY_ before it, a variable of the environment (LOADS_PROXY_BACKEND). The command
line wins, then the environment, then the file. With a file of several proxies --name says whose options are meant;
without it behavior, seed, timeout and mirror-upstream are for all.
Ctrl-C closes all connections and ends it; again: at once.

Exit codes: 0 ended when told to, 2 wrong use or configuration, 4 an address cannot be had, 70 a defect of Loads.
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
  // Whoever reads that it listens may end it at once. After the first signal nobody listens to them: the next ends the process.
  const told = untilToldToStop(world, false)
  const server = await serve(world, plan, log)
  const summary = new ProxySummary(server.proxies, world.stdout)
  // What was done to start and what is done to end is no news.
  const stopTelling = server.events.listen((event) => tell(log, event, settings.logLevel === 'debug'))
  await told
  stopTelling()
  summary.close()
  await server.close()
  return 0
}

function serve(world: World, plan: ProxyPlan, log: Log): Promise<ProxyServer> {
  return ProxyServer.start({
    ...plan,
    scheduleBegins: 'now',
    log,
    onListening: (what) => world.stdout.write(`${lineOf(what)}\n`),
  })
}

function lineOf(it: Listening): string {
  if (it.what === 'proxy') return proxyLine(it.proxy, it.options)
  if (it.what === 'way') return `way ${it.from} to ${it.to}: ${it.address} -> ${it.backend}`
  return `control API at ${it.url}${it.token ? ', with a token' : ''}`
}

/** `proxy mysql: 127.0.0.1:3307 -> localhost:3306, mysql, 5:hang, 2 faults, seed 7` */
function proxyLine(proxy: Proxy, { behavior, faults = [], enabled }: NamedProxyOptions): string {
  return [
    `proxy ${proxy.name}: ${proxy.listen} -> ${proxy.backend}`,
    proxy.protocol.name,
    ...(behavior === undefined ? [] : [behavior]),
    ...(faults.length === 0 ? [] : [faults.length === 1 ? '1 fault' : `${faults.length} faults`]),
    `seed ${proxy.seed}`,
    ...(enabled === false ? ['not listening until it is enabled'] : []),
  ].join(', ')
}

function tell(log: Log, event: ChaosEvent, isDebug: boolean): void {
  if (event.type === 'change') {
    const { what, rule } = event
    const text =
      rule === undefined
        ? what
        : `fault ${rule.name} ${what}: ${rule.type} ${attributesText(rule.type, rule.attributes)}`.trimEnd()
    log('info', `${event.proxy}: ${text}`)
  } else if (isDebug) log('debug', JSON.stringify(event))
}
