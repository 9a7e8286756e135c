import type { OptionTable } from '../option-table.ts'
import { list, pair, positiveDuration, secret, variable, whole, word } from '../option-values.ts'
import type { Words } from '../option-values.ts'

/** What users do. */
export interface TestsSettings {
  testDir: string
  includeFile: readonly string[]
  external: readonly string[]
  testRunner: string | null
  testTimeout: number
  param: Words
  /** null: the value of our own variable of that name. */
  env: Readonly<Record<string, string | null>>
  /** The users' variable to the name of ours that holds the value. */
  secret: Words
  seed: number | null
}

const group = 'Tests:'

const nothing: Words = {}

export const testsOptions: OptionTable<TestsSettings> = {
  testDir: {
    flags: '--test-dir <DIR>',
    group,
    help: 'where tests are (default: the working directory)',
    initial: '.',
    parse: word,
  },
  includeFile: {
    flags: '--include-file <GLOB>',
    group,
    help: 'more files that tests read, shipped to agents; repeatable',
    initial: [],
    parse: list,
    repeatable: true,
  },
  external: {
    flags: '--external <PKG>',
    group,
    help: 'package that is not bundled; repeatable',
    initial: [],
    parse: list,
    repeatable: true,
  },
  testRunner: {
    flags: '--test-runner <CMD>',
    group,
    help: 'command that is run as a virtual user, in any language',
    initial: null,
    parse: word,
  },
  testTimeout: {
    flags: '--test-timeout <T>',
    group,
    help: 'an execution that takes longer is cut and counted as an error (default: 10m)',
    initial: 600_000,
    parse: positiveDuration,
  },
  param: {
    flags: '--param <K=V>',
    group,
    help: 'what tests read as this.params; repeatable',
    initial: nothing,
    parse: pair,
    repeatable: true,
  },
  env: {
    flags: '--env <NAME[=V]>',
    group,
    help: "variable of the users' environment; repeatable",
    initial: {},
    parse: variable,
    repeatable: true,
  },
  secret: {
    flags: '--secret <NAME=env:X>',
    group,
    help: 'likewise, with the value of our variable X, which is shown nowhere; repeatable',
    initial: nothing,
    parse: secret,
    repeatable: true,
  },
  seed: {
    flags: '--seed <N>',
    group,
    help: 'every random choice of the run derives from it (default: random, printed)',
    initial: null,
    parse: whole(0),
  },
}
