import type { OptionTable } from '../option-table.ts'
import { word } from '../option-values.ts'

/** The configuration file itself. */
export interface ConfigurationSettings {
  config: string | null
  profile: string | null
}

const group = 'Configuration:'

export const configurationOptions: OptionTable<ConfigurationSettings> = {
  config: {
    flags: '--config <FILE>',
    group,
    help: 'options and scenarios from this file (default: loads.config.ts, .mts, .js, .mjs, .json, .yaml or .yml, where there is one)',
    initial: null,
    parse: word,
  },
  profile: {
    flags: '--profile <NAME>',
    group,
    help: 'take those under "profiles" and this name in the file, too',
    initial: null,
    parse: word,
  },
}
