import { Command, CommanderError, Option } from 'commander'
import { UsageError } from './errors.ts'
import { kindOf, optionName, rowsOf, suggestion } from './option-table.ts'
import type { OptionTable, RawValues } from './option-table.ts'

/** What the arguments of a command say, before any value is read. */
export interface CommandLine<S> {
  operands: readonly string[]
  raw: RawValues<S>
  help: boolean
  version: boolean
}

export interface CommandText {
  name: string
  /** What follows the name in the usage line. */
  usage: string
  description: string
  /** Printed after the options. */
  epilogue: string
}

/**
 * Splits arguments by the rows of a table. Unknown options become problems.
 *
 * @throws {UsageError} when the value of an option is missing
 */
export function readCommandLine<S>(
  table: OptionTable<S>,
  args: readonly string[],
  problems: string[],
): CommandLine<S> {
  const values = new Map<keyof S & string, string[]>()
  const asked = { help: false, version: false }
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} })
  for (const [key, option] of optionsOf(table)) {
    command.addOption(option)
    command.on(`option:${option.name()}`, (value: string | null | undefined) => {
      const row = table[key]
      const text = value ?? (kindOf(row as never) === 'flag' ? 'true' : '')
      values.set(key, row.repeatable === true ? [...(values.get(key) ?? []), text] : [text])
    })
  }
  for (const name of ['help', 'version'] as const) {
    command.addOption(new Option(name === 'help' ? '-h, --help' : '--version'))
    command.on(`option:${name}`, () => (asked[name] = true))
  }
  const names = [...optionsOf(table).map(([, option]) => `--${option.name()}`), '--help', '--version']
  let operands: readonly string[] = []
  try {
    const parsed = command.parseOptions([...args])
    operands = parsed.operands
    for (const word of parsed.unknown) {
      const name = word.split('=')[0]!
      if (word.startsWith('-') && word !== '--')
        problems.push(`unknown option ${name}${suggestion(name, names)}`)
    }
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // What stands behind it was not read: anything said about that would be wrong.
    throw new UsageError([...problems, error.message.replace(/^error: /, '')])
  }
  return { operands, raw: { source: 'command line', values }, ...asked }
}

/** The help of a command, made from the rows of its table. */
export function helpText<S>(table: OptionTable<S>, text: CommandText): string {
  const command = new Command(text.name).usage(text.usage).description(text.description).helpOption(false)
  command.configureHelp({ helpWidth: 110 })
  for (const [key, option] of optionsOf(table)) {
    const alias = option.name() !== optionName(key)
    if (!alias) command.addOption(option)
  }
  command.addOption(new Option('--version', 'show the version').helpGroup('Configuration:'))
  command.addOption(new Option('-h, --help', 'show this').helpGroup('Configuration:'))
  return `${command.helpInformation()}${text.epilogue}`
}

function optionsOf<S>(table: OptionTable<S>): [keyof S & string, Option][] {
  return rowsOf(table).flatMap(([key, row]) => {
    const option = new Option(row.flags, row.help).helpGroup(row.group)
    const placeholder = /[<[].*$/.exec(row.flags)?.[0] ?? ''
    const aliases = (row.aliases ?? []).map((alias) => new Option(`--${alias} ${placeholder}`.trim()))
    return [option, ...aliases].map((each): [keyof S & string, Option] => [key, each])
  })
}
