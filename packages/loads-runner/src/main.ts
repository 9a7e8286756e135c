import { isUsageError, reportFailure } from './errors.ts'
import { optionTable } from './options.ts'
import { readSettings } from './read-settings.ts'
import type { Invocation } from './read-settings.ts'
import { version } from './version.ts'
import type { World } from './world.ts'

/** `loads-runner`: the whole command. Never throws; returns the exit code. */
export function main(world: World): Promise<number> {
  return guarded(world, async () => {
    const invocation = await readSettings(world)
    const { settings } = invocation
    if (invocation.help) {
      const { helpText } = await import('./command-line.ts')
      world.stdout.write(helpText(optionTable, runnerText))
      return 0
    }
    if (invocation.version) {
      world.stdout.write(`${version}\n`)
      return 0
    }
    if (settings.inspect) {
      const address = world.openInspector((text) => world.stderr.write(text))
      world.stderr.write(`debugger attached (${address}); users run on the main thread\n`)
    }
    const command = await commandFor(invocation)
    if (!settings.debug) return command(world, invocation)
    world.stderr.write(`loads-runner ${version}, node ${process.version}\n`)
    return command(world, invocation)
  })
}

/** `loads-broker`. */
export function brokerMain(world: World): Promise<number> {
  return guarded(world, async () => (await import('./commands/broker.ts')).brokerCommand(world))
}

/** `loads-agent`. */
export function agentMain(world: World): Promise<number> {
  return guarded(world, async () => (await import('./commands/agent.ts')).agentCommand(world))
}

/** `loads-proxy`. */
export function proxyMain(world: World): Promise<number> {
  return guarded(world, async () => (await import('./commands/proxy.ts')).proxyCommand(world))
}

/** `loads`. */
export function loadsMain(world: World): Promise<number> {
  return guarded(world, async () => (await import('./loads-main.ts')).loadsCommand(world))
}

/** Each command loads what it needs and no more: a command should start at once. */
async function commandFor({
  settings,
}: Invocation): Promise<(world: World, invocation: Invocation) => Promise<number>> {
  if (settings.control !== null) return (await import('./commands/control.ts')).controlCommand
  if (settings.attach !== null) return (await import('./commands/attach.ts')).attachCommand
  if (settings.stop !== null) return (await import('./commands/stop.ts')).stopCommand
  if (settings.listRuns) return (await import('./commands/list-runs.ts')).listRunsCommand
  if (settings.pingBroker) return (await import('./commands/ping-broker.ts')).pingBrokerCommand
  if (settings.checkCluster) return (await import('./commands/check-cluster.ts')).checkClusterCommand
  if (settings.purgeBroker) return (await import('./commands/purge-broker.ts')).purgeBrokerCommand
  if (settings.dryRun) return (await import('./commands/dry-run.ts')).dryRunCommand
  if (settings.watch) return (await import('./commands/watch.ts')).watchCommand
  if (settings.replay !== null) return (await import('./commands/replay.ts')).replayCommand
  if (settings.findCapacity !== null) return (await import('./capacity/command.ts')).findCapacity
  return (await import('./commands/run.ts')).runCommand
}

/** The only place that turns an error into an exit code. */
async function guarded(world: World, command: () => Promise<number>): Promise<number> {
  try {
    return await command()
  } catch (error) {
    const { exitCode, text } = reportFailure(error)
    world.stderr.write(text)
    if (isUsageError(error)) world.stderr.write('see --help\n')
    return exitCode
  }
}

const runnerText = {
  name: 'loads-runner',
  usage: 'TEST... [options]',
  description:
    'Runs tests as load. A test is module.Class.test_method, module.Class, module, or path/to/file.ts::Class.test_method.',
  epilogue: `
Durations: 500ms 30s 5m 1h; a bare number is seconds. Every option is also a key of the configuration file and, with
LOADS_ before it, a variable of the environment (LOADS_SERVER_URL). The command line wins, then the environment, then
class attributes (static load, static serverUrl), then the file. Scenarios with loads of their own stand in the file.
Ctrl-C: users finish what they are doing; again: they are cut off; a third time: processes are killed.

Exit codes: 0 passed, 1 tests failed, 2 wrong use, 3 tests not found or not loadable, 4 broker or agents failed,
5 results incomplete, 6 the load generator was the limit, 7 stopped by an operator, 70 a defect of Loads,
99 a threshold was crossed, 130 and 143 interrupted.
`,
}
