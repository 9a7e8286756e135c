import { isTestClass, testMethodsOf, weightOf, type TestClass } from '@loads-runner/testcase'
import type { ManifestTest } from './bundle-archive.ts'
import { EngineError } from './errors.ts'
import { nearestNames } from './nearest-names.ts'
import type { TestModules } from './test-modules.ts'
import type { TestAddress } from './test-name.ts'

export interface SelectedTest {
  label: string
  className: string
  method: string
  weight: number
}

/** What a test class says of itself in static fields. */
export interface ClassAttributes {
  /** `TestWebSite`; with its module before it where two modules have such a class. */
  name: string
  /** Labels of its tests that were chosen. */
  labels: string[]
  /** `static load`: options of load by their names, not yet read. Null without. */
  load: Readonly<Record<string, unknown>> | null
  /** `static thresholds`, not yet read. */
  thresholds: string[]
}

export interface SelectedTests {
  tests: SelectedTest[]
  /** The classes of the tests, in their order. */
  classes: ClassAttributes[]
  /** The labels of the tests that each name means, in the order of the names. */
  named: { name: string; labels: string[] }[]
  /** A class has `setUpRun` or `tearDownRun`. */
  conducted: boolean
  /** The first class attribute `serverUrl`; null without. */
  serverUrl: string | null
}

/**
 * Finds the classes and methods that names mean. Pure.
 *
 * @throws {EngineError} TEST_NOT_FOUND (exit code 3) with the nearest names
 */
export function selectTests(
  addresses: readonly TestAddress[],
  modules: TestModules,
): SelectedTests & { manifestTests: ManifestTest[] } {
  const perName = addresses.map((address) => testsAt(address, classesOf(modules[address.module] ?? {})))
  const found = perName.flat()
  const byLabel = new Map<string, Found>()
  for (const each of found) byLabel.set(labelOf(each, found), each)
  const entries = [...byLabel]
  const classes = new Set(entries.map(([, each]) => each.cls))
  return {
    tests: entries.map(([label, { className, method, weight }]) => ({ label, className, method, weight })),
    classes: [...classes].map((cls) => attributesOf(cls, entries, found)),
    named: addresses.map(({ name }, index) => ({
      name,
      labels: [...new Set(perName[index]!.map((each) => labelOf(each, found)))],
    })),
    conducted: [...classes].some((cls) => 'setUpRun' in cls || 'tearDownRun' in cls),
    serverUrl: [...classes].map((cls) => cls.serverUrl).find((url) => typeof url === 'string') ?? null,
    manifestTests: entries.map(([label, { address, className, method }]) => ({
      label,
      module: address.module,
      className,
      method,
      parameters: address.parameters,
    })),
  }
}

interface Found {
  address: TestAddress
  cls: TestClass
  className: string
  method: string
  weight: number
}

/** Test classes of a module by exported name; a default export goes by its class name. */
export function classesOf(exports: Record<string, unknown>): Map<string, TestClass> {
  const classes = new Map<string, TestClass>()
  const seen = new Set<unknown>()
  const add = (name: string, value: unknown): void => {
    if (!isTestClass(value) || seen.has(value)) return
    seen.add(value)
    classes.set(name, value)
  }
  for (const [name, value] of Object.entries(exports)) if (name !== 'default') add(name, value)
  const fallback = exports['default']
  if (isTestClass(fallback)) add(fallback.name, fallback)
  // A CommonJS module: its exports are the properties of the default.
  else if (typeof fallback === 'object' && fallback !== null) {
    for (const [name, value] of Object.entries(fallback)) add(name, value)
  }
  return classes
}

function testsAt(address: TestAddress, classes: Map<string, TestClass>): Found[] {
  if (classes.size === 0) {
    throw missing(`module '${address.module}' exports no subclass of TestCase; export the class from it`)
  }
  if (address.className === null) {
    const all = [...classes.keys()].flatMap((className) => methodsAt(address, classes, className))
    if (all.length === 0)
      throw missing(`module '${address.module}' has no test methods; their names start with 'test'`)
    return all
  }
  if (!classes.has(address.className)) {
    throw missing(
      `no test class '${address.className}' in module '${address.module}'; ${hint(address.className, [...classes.keys()])}`,
    )
  }
  const methods = methodsAt(address, classes, address.className)
  if (address.method === null) {
    if (methods.length > 0) return methods
    throw missing(`class '${address.className}' has no test methods; their names start with 'test'`)
  }
  const one = methods.find((each) => each.method === address.method)
  if (one !== undefined) return [{ ...one, weight: Math.max(1, one.weight) }]
  throw missing(
    `no test '${address.method}' in class '${address.className}'; ${hint(
      address.method,
      methods.map((each) => each.method),
    )}`,
  )
}

function methodsAt(address: TestAddress, classes: Map<string, TestClass>, className: string): Found[] {
  const cls = classes.get(className)!
  const methods = testMethodsOf(cls)
  for (const name of Object.keys(cls.weights ?? {})) {
    if (methods.includes(name)) continue
    throw missing(
      `${className}.weights names '${name}', which is no test of the class; ${hint(name, methods)}`,
    )
  }
  return methods.map((method) => ({
    address,
    cls,
    className,
    method,
    weight: checked(() => weightOf(cls, method)),
  }))
}

/** @throws {EngineError} TEST_DOES_NOT_LOAD for attributes of another form */
function attributesOf(
  cls: TestClass,
  entries: readonly [string, Found][],
  found: readonly Found[],
): ClassAttributes {
  const own = entries.filter(([, each]) => each.cls === cls)
  const { load, tags, thresholds } = cls as { load?: unknown; tags?: unknown; thresholds?: unknown }
  const name = classNameOf(own[0]![1], found)
  const wrong = (attribute: string, form: string) =>
    new EngineError('TEST_DOES_NOT_LOAD', 3, `${name}.${attribute} is no such attribute: write ${form}`)
  if (load !== undefined && !isObject(load))
    throw wrong('load', "static load = { rate: '50/s', duration: '30s' }")
  if (tags !== undefined && !(isObject(tags) && Object.values(tags).every((tag) => typeof tag === 'string')))
    throw wrong('tags', "static tags = { team: 'search' }")
  const expressions = typeof thresholds === 'string' ? [thresholds] : (thresholds ?? [])
  if (!Array.isArray(expressions) || !expressions.every((each) => typeof each === 'string'))
    throw wrong('thresholds', "static thresholds = ['http_req_duration: p(95)<200']")
  return { name, labels: own.map(([label]) => label), load: load ?? null, thresholds: expressions }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A class that is wrong in itself does not load. */
function checked(weight: () => number): number {
  try {
    return weight()
  } catch (error) {
    throw new EngineError('TEST_DOES_NOT_LOAD', 3, (error as Error).message, { cause: error })
  }
}

/** `Class.method`, with the module before it only where two modules have such a class. */
function labelOf(test: Found, all: readonly Found[]): string {
  const { address, method } = test
  const label = `${classNameOf(test, all)}.${method}`
  return address.parameters === null ? label : `${label}@${JSON.stringify(address.parameters)}`
}

function classNameOf({ address, className }: Found, all: readonly Found[]): string {
  const shared = all.some((each) => each.className === className && each.address.module !== address.module)
  return shared ? `${address.module}.${className}` : className
}

function hint(wanted: string, names: string[]): string {
  const near = nearestNames(wanted, names)
  return near.length > 0 ? `did you mean ${near.join(' or ')}?` : `it has ${names.join(', ') || 'none'}`
}

function missing(message: string): EngineError {
  return new EngineError('TEST_NOT_FOUND', 3, message)
}
