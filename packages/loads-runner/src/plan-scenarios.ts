import type { ClassAttributes } from '@loads-runner/engine'
import { isOpen } from '@loads-runner/testcase/load'
import type { Scenario, TestChoice } from '@loads-runner/testcase/load'
import { layerOf } from './config/layer.ts'
import type { ScenarioEntry } from './config/scenario-entries.ts'
import { UsageError } from './errors.ts'
import { GivenLoad, missingIn, planLoad, problemsOf } from './load-models/index.ts'
import type { LoadLayer } from './load-models/index.ts'
import { describe } from './option-table.ts'
import { loadKeys, loadOptions } from './options/load.ts'

/** What is known of the tests once they are bundled, as far as scenarios are made of it. */
export interface ScenarioTests {
  tests: readonly { label: string; weight: number }[]
  classes: readonly ClassAttributes[]
  named: readonly { name: string; labels: readonly string[] }[]
}

export interface ScenarioRequest {
  /** Of the configuration file; empty where tests are named directly. */
  entries: readonly ScenarioEntry[]
  /** Options by their places, the farthest first: class attributes come between the two. */
  layers: {
    file: readonly LoadLayer[]
    nearer: readonly LoadLayer[]
  }
  /** Agents that were asked for; null for a local run. */
  agents: number | null
  /** Command of an external runner; null for test classes. */
  testRunner: string | null
  /** One user runs each test once, whatever the load is. */
  once: boolean
}

export interface ScenarioPlan {
  scenarios: Scenario[]
  /** What somebody who reads the plan should know of where it comes from. */
  notes: string[]
}

/** The name of the scenario of a run that has one. */
export const defaultScenario = 'default'

/** A scenario before its load is known. */
interface Draft {
  name: string
  tests: TestChoice[]
  /** Layers of its own. */
  own: LoadLayer[]
  classes: ClassAttributes[]
  rest: Pick<Scenario, 'startMs' | 'tags' | 'params'>
}

/**
 * The scenarios of a run: those of the configuration file; else one, or one per class where classes have loads of
 * their own that differ.
 *
 * @throws {UsageError} with everything that is wrong with their loads
 */
export function planScenarios(request: ScenarioRequest, bundle: ScenarioTests): ScenarioPlan {
  const drafts = request.entries.length > 0 ? entryDrafts(request, bundle) : classDrafts(request, bundle)
  const problems: string[] = []
  const scenarios = drafts.flatMap((draft) => {
    const found: string[] = []
    const scenario = planDraft(request, draft, found)
    problems.push(...found)
    return scenario === null || found.length > 0 ? [] : [scenario]
  })
  if (problems.length > 0) throw new UsageError([...new Set(problems)])
  return { scenarios, notes: notesOf(request, drafts) }
}

function planDraft(request: ScenarioRequest, draft: Draft, problems: string[]): Scenario | null {
  const { name, tests, own, classes, rest } = draft
  if (request.once) return onceOf(draft)
  if (tests.every((test) => test.weight === 0)) {
    problems.push(`scenario "${name}" has no test to run: every weight is 0`)
    return null
  }
  const { layer, conflict } = classLayer(classes, problems)
  if (conflict !== null) {
    problems.push(`scenario "${name}": ${conflict}`)
    return null
  }
  const layers = [
    ...request.layers.file,
    ...own,
    ...(layer === null ? [] : [layer]),
    ...request.layers.nearer,
  ]
  const load = new GivenLoad(layers, problems)
  problems.push(...problemsOf(load), ...missingIn(load))
  if (problems.length > 0) return null
  const { settings } = load
  const stages = planLoad(load, { agents: request.agents, round: roundOf(tests) })
  const pausing = stages.every((stage) => !isOpen(stage))
  const delayed = settings.delay > 0 ? ({ type: 'constant', ms: settings.delay } as const) : null
  return {
    name,
    tests,
    stages,
    pause: (pausing ? (settings.pause ?? delayed) : null) ?? { type: 'none' },
    gracefulStopMs: settings.gracefulStop,
    ...rest,
  }
}

function onceOf({ name, tests, rest }: Draft): Scenario {
  const chosen = tests.filter(({ weight }) => weight > 0).map(({ label }) => ({ label, weight: 1 }))
  const iterations = Math.max(1, chosen.length)
  return {
    ...rest,
    name,
    tests: chosen.length > 0 ? chosen : tests,
    startMs: 0,
    stages: [{ type: 'hits-per-user', users: 1, iterations, rampUpMs: 0, maxDurationMs: null }],
    pause: { type: 'none' },
    gracefulStopMs: onceMs,
  }
}

/** Nobody hurries one execution. */
const onceMs = 30_000

/** One draft for each scenario of the file. */
function entryDrafts({ entries }: ScenarioRequest, bundle: ScenarioTests): Draft[] {
  return entries.map((entry) => {
    const tests = new Map<string, number>()
    for (const { name, weight } of entry.tests) {
      const labels = bundle.named.find((each) => each.name === name)?.labels ?? []
      for (const label of labels) {
        const own = bundle.tests.find((test) => test.label === label)?.weight ?? 1
        // A weight beside a class is that of the whole class compared to the other entries: its tests keep theirs.
        tests.set(label, weight === null ? own : labels.length === 1 ? weight : weight * own)
      }
    }
    return {
      name: entry.name,
      tests: [...tests].map(([label, weight]) => ({ label, weight })),
      own: [entry.load],
      classes: bundle.classes.filter((cls) => cls.labels.some((label) => tests.has(label))),
      rest: { startMs: entry.startMs, tags: { ...entry.tags }, params: { ...entry.params } },
    }
  })
}

/** One draft for all tests, or one per class where their loads differ. */
function classDrafts({ testRunner }: ScenarioRequest, bundle: ScenarioTests): Draft[] {
  const rest = { startMs: 0, tags: {}, params: {} }
  const draft = (name: string, tests: TestChoice[], classes: ClassAttributes[]): Draft => {
    return { name, tests, own: [], classes, rest }
  }
  const choices = bundle.tests.map(({ label, weight }) => ({ label, weight }))
  if (testRunner !== null && choices.length === 0)
    return [draft(defaultScenario, [{ label: 'external', weight: 1 }], [])]
  const loads = new Set(bundle.classes.map(({ load }) => JSON.stringify(load)))
  if (loads.size <= 1) {
    // One test is run whatever its weight.
    const tests = choices.length === 1 ? [{ ...choices[0]!, weight: 1 }] : choices
    return [draft(defaultScenario, tests, [...bundle.classes])]
  }
  return bundle.classes.map((cls) =>
    draft(
      cls.name,
      choices.filter(({ label }) => cls.labels.includes(label)),
      [cls],
    ),
  )
}

/** What classes say of their load; they must say the same. */
function classLayer(
  classes: readonly ClassAttributes[],
  problems: string[],
): { layer: LoadLayer | null; conflict: string | null } {
  const [first, ...others] = classes.filter(({ load }) => load !== null)
  if (first === undefined) return { layer: null, conflict: null }
  const other = others.find(({ load }) => JSON.stringify(load) !== JSON.stringify(first.load))
  if (other !== undefined) {
    const conflict = `${first.name} and ${other.name} have a static load each, and they differ: give each class a scenario of its own`
    return { layer: null, conflict }
  }
  const place = { where: `of ${first.name}.load`, at: () => '' }
  return { layer: { ...layerOf(loadOptions, first.load!, problems, place), source: 'class' }, conflict: null }
}

/** Executions of a user that run every test as often as its weight says. */
export function roundOf(tests: readonly { weight: number }[]): number {
  if (tests.length <= 1) return 1
  return Math.max(
    1,
    tests.reduce((sum, test) => sum + test.weight, 0),
  )
}

function notesOf({ layers }: ScenarioRequest, drafts: readonly Draft[]): string[] {
  const names = (keys: readonly string[]) => keys.join(', ')
  const nearer = [...new Set(layers.nearer.flatMap((layer) => [...loadNames(layer)]))]
  const several = drafts.length > 1
  const withClass = drafts.filter(({ classes }) => classes.some(({ load }) => load !== null))
  return [
    ...(several && nearer.length > 0
      ? [`${names(nearer)} of the command line or environment counts for every scenario, in place of its own`]
      : []),
    ...withClass
      .filter(({ own }) => own.length > 0)
      .map(({ name }) => `scenario "${name}": static load of its class wins over the configuration file`),
  ]
}

function loadNames(layer: LoadLayer): string[] {
  return loadKeys
    .filter((key) => layer.values.has(key))
    .map((key) => layer.nameOf?.(key) ?? describe(key, layer.source))
}
