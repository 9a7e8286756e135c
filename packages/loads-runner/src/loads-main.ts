import { Command, CommanderError } from 'commander'
import { UsageError } from './errors.ts'
import { addStoreCommands } from './store/add-commands.ts'
import { checked } from './checked-option.ts'
import { suggestion } from './option-table.ts'
import { httpUrl, whole } from './option-values.ts'
import { version } from './version.ts'
import type { World } from './world.ts'

/**
 * `loads`: what helps to begin, and what is done with runs that are over. Each command loads what it needs and no more.
 *
 * @throws {UsageError} wrong arguments
 */
export async function loadsCommand(world: World): Promise<number> {
  const result = { exitCode: 0 }
  const program = makeProgram(world, (exitCode) => (result.exitCode = exitCode))
  if (world.args.length === 0) {
    world.stdout.write(program.helpInformation())
    return 0
  }
  try {
    await program.parseAsync([...world.args], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Help and version are errors to commander.
    if (error.exitCode === 0) return 0
    throw new UsageError(problemOf(error, program))
  }
  return result.exitCode
}

function makeProgram(world: World, done: (exitCode: number) => void): Command {
  const program = new Command('loads')
    .description(
      'What comes before a run and after it: tests made of requests that you have; reports, comparisons, past runs.',
    )
    .version(version, '--version', 'show the version')
    .helpOption('-h, --help', 'show this')
    .helpCommand('help [COMMAND]', 'show how a command is used')
    .addHelpText(
      'after',
      `
Examples:
  loads init --url http://localhost:8080
  loads import har session.har -o checkout.ts
  loads import openapi api.yaml -o api.ts
  loads import curl 'curl -X POST http://localhost:8080/login -d user=me' -o login.ts
  loads record --target http://localhost:8080 -o recorded.ts
  loads report latest
  loads compare last-passed latest
  loads runs --project shop
`,
    )
  apply(program, world)
  addInit(program, world, done)
  addImport(program, world, done)
  addRecord(program, world, done)
  addStoreCommands(program, world, done)
  return program
}

function addInit(program: Command, world: World, done: (exitCode: number) => void): void {
  program
    .command('init [DIR]')
    .description('make a project: a test, a configuration, CI lines; nothing is overwritten')
    .option('--url <URL>', 'the server to be tested', checked(httpUrl))
    .option('--force', 'write over what exists')
    .action(async (directory: string | undefined, options: { url?: string; force?: boolean }) => {
      const { initCommand } = await import('./authoring/init.ts')
      const { url = null, force = false } = options
      done(await initCommand(world, { directory: directory ?? '.', url, force }))
    })
}

interface ImportFlags {
  output?: string
  force?: boolean
}

function addImport(program: Command, world: World, done: (exitCode: number) => void): void {
  const group = program
    .command('import')
    .description('make a test of a HAR file, an OpenAPI document or curl')
  const add = (usage: string, description: string) => {
    return group
      .command(usage)
      .description(description)
      .option('-o, --output <FILE>', 'where the test goes, .ts or .js (default: standard output)')
      .option('--force', 'write over a file that exists')
  }
  const common = ({ output, force = false }: ImportFlags) => ({ output: output ?? null, force })
  add('har <FILE>', 'what a browser has saved ("save all as HAR"); - reads standard input')
    .option('--all', 'keep images, styles, fonts and scripts')
    .option('--pauses', 'wait as long as the user did; else that is a comment')
    .action(async (file: string, options: ImportFlags & { all?: boolean; pauses?: boolean }) => {
      const { importHar } = await import('./authoring/import-commands.ts')
      const { all = false, pauses = false } = options
      done(await importHar(world, file, { ...common(options), all, pauses }))
    })
  add('openapi <FILE>', 'an OpenAPI document, 3.0 or 3.1, JSON or YAML: one test per operation')
    .option('--url <URL>', 'the server, in place of the one in the document', checked(httpUrl))
    .action(async (file: string, options: ImportFlags & { url?: string }) => {
      const { importOpenApi } = await import('./authoring/import-commands.ts')
      done(await importOpenApi(world, file, { ...common(options), url: options.url ?? null }))
    })
  add(
    'curl <COMMAND...>',
    'one or more curl commands in quotes; @FILE or - reads them from a file or standard input',
  ).action(async (words: string[], options: ImportFlags) => {
    const { importCurl } = await import('./authoring/import-commands.ts')
    done(await importCurl(world, words, common(options)))
  })
}

interface RecordFlags {
  port: number
  host: string
  target?: string
  output: string
  insecure?: boolean
  all?: boolean
  pauses?: boolean
  force?: boolean
}

function addRecord(program: Command, world: World, done: (exitCode: number) => void): void {
  program
    .command('record')
    .description('a proxy that writes a test of what passes through it, at Ctrl-C')
    .option('--port <PORT>', 'where to listen', checked(whole(0, 65_535)), 8888)
    .option('--host <HOST>', 'address to listen on', '127.0.0.1')
    .option('--target <URL>', 'pass everything on to this server, http or https', checked(httpUrl))
    .option('-o, --output <FILE>', 'where the test goes, .ts or .js', 'recorded.ts')
    .option('--insecure', 'accept any TLS certificate of the target')
    .option('--all', 'keep images, styles, fonts and scripts')
    .option('--pauses', 'wait as long as the user did; else that is a comment')
    .option('--force', 'write over a file that exists')
    .addHelpText(
      'after',
      `
With --target the proxy stands for that server: open http://127.0.0.1:8888 in place of it. Without, it is an ordinary
HTTP proxy: set it in a browser, or curl -x http://127.0.0.1:8888. What is encrypted (https:// through the proxy) is
passed on and cannot be recorded: use --target for it.
`,
    )
    .action(async (options: RecordFlags) => {
      const { recordCommand } = await import('./authoring/record.ts')
      const { target = null, insecure = false, all = false, pauses = false, force = false } = options
      done(await recordCommand(world, { ...options, target, insecure, all, pauses, force }))
    })
}

/** Everything that commander says goes to the world; it never ends the process. */
function apply(command: Command, world: World): void {
  command
    .exitOverride()
    .showSuggestionAfterError(false)
    .allowExcessArguments(false)
    .configureHelp({ helpWidth: 110 })
    .configureOutput({ writeOut: (text) => world.stdout.write(text), writeErr: () => {} })
}

function problemOf(error: CommanderError, program: Command): string {
  // `loads import` alone shows its help to nobody.
  if (error.code === 'commander.help') return 'loads import: what? har FILE, openapi FILE or curl COMMAND'
  const text = error.message.replace(/^error: /, '')
  const [, kind, word] = /^unknown (command|option) '([^']*)'/.exec(text) ?? []
  if (kind === undefined || word === undefined) return text
  const names = kind === 'command' ? commandNames(program) : optionNames(program)
  return `unknown ${kind} ${word}${suggestion(word, names)}`
}

function commandNames(command: Command): string[] {
  return [...command.commands.flatMap((each) => [each.name(), ...commandNames(each)]), 'help']
}

function optionNames(command: Command): string[] {
  const own = command.options.flatMap(({ long }) => (long === null || long === undefined ? [] : [long]))
  return [...own, ...command.commands.flatMap(optionNames)]
}
