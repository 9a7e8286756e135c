import type { OptionTable } from './option-table.ts'
import { clusterOptions } from './options/cluster.ts'
import type { ClusterSettings } from './options/cluster.ts'
import { commandOptions } from './options/commands.ts'
import type { CommandSettings } from './options/commands.ts'
import { configurationOptions } from './options/configuration.ts'
import type { ConfigurationSettings } from './options/configuration.ts'
import { loadOptions } from './options/load.ts'
import type { LoadSettings } from './options/load.ts'
import { resultsOptions } from './options/results.ts'
import type { ResultsSettings } from './options/results.ts'
import { targetOptions } from './options/target.ts'
import type { TargetSettings } from './options/target.ts'
import { testsOptions } from './options/tests.ts'
import type { TestsSettings } from './options/tests.ts'

/** Everything `loads-runner` can be told. Times are milliseconds; null is "not given". */
export interface Settings
  extends
    LoadSettings,
    ClusterSettings,
    TargetSettings,
    TestsSettings,
    ResultsSettings,
    CommandSettings,
    ConfigurationSettings {}

export const optionTable: OptionTable<Settings> = {
  ...loadOptions,
  ...testsOptions,
  ...targetOptions,
  ...clusterOptions,
  ...resultsOptions,
  ...commandOptions,
  ...configurationOptions,
}

/** Commands that need a standing broker, by the setting that asks for them. */
export const brokerVerbs = [
  'attach',
  'control',
  'stop',
  'listRuns',
  'pingBroker',
  'checkCluster',
  'purgeBroker',
] as const
