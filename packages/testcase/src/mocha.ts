/**
 * A mocha interface: `mocha --ui loads-runner/mocha example.ts` runs every exported TestCase subclass as a suite, each
 * test method as a test with a fresh instance. Relative URLs go to `static serverUrl`, or to LOADS_SERVER_URL.
 */
import { hostname } from 'node:os'
import type { UserContext } from './context.ts'
import { proxiesFor } from './proxies.ts'
import type { RunHookContext, TestCase, TestClass } from './test-case.ts'
import { checkNote } from './tags.ts'
import { isTestClass, testMethodsOf } from './test-class.ts'
import { attachUser, contextOf, releaseUser, restoreProxies, settleExecution } from './user-link.ts'

/** The few parts of mocha that are used here. It is no dependency: whoever runs this file has it. */
interface Suite {
  ctx: unknown
  tests: Runnable[]
  on(event: 'require', listener: (exports: unknown, file: string, mocha: unknown) => void): void
  beforeAll(title: string, action: () => Promise<void>): void
  afterAll(title: string, action: () => Promise<void>): void
  addSuite(suite: Suite): void
  addTest(test: Runnable): void
}
interface Runnable {
  file?: string
  constructor: unknown
}
interface SuiteFactory {
  create(parent: Suite, title: string): Suite
}
/** Mocha's classes are reached through what it hands over, so that they are those of the mocha that runs. */
interface MochaClasses {
  Suite: SuiteFactory
  Test: new (title: string, action: () => Promise<void>) => Runnable
}

export default function loadsInterface(root: Suite): void {
  root.on('require', (exports, file, mocha) => {
    const classes = (mocha as { constructor: MochaClasses }).constructor
    for (const testClass of testClassesOf(exports)) addSuite(root, testClass, file, classes)
  })
}

/** For `mocha --list-interfaces`. */
loadsInterface.description = 'TestCase classes of Loads'

/** Exported test classes, in the order of the module, each once; also of an object exported as default. */
function testClassesOf(exports: unknown): TestClass[] {
  const found = new Set<TestClass>()
  const look = (value: unknown, depth: number) => {
    if (isTestClass(value)) found.add(value)
    else if (depth > 0 && typeof value === 'object' && value !== null) {
      for (const each of Object.values(value)) look(each, depth - 1)
    }
  }
  look(exports, 2)
  return [...found]
}

function addSuite(root: Suite, testClass: TestClass, file: string, { Suite, Test }: MochaClasses): void {
  const suite = Suite.create(root, testClass.name)
  const context = Object.assign(hookContext(testClass), { data: null as unknown })
  if ('setUpRun' in testClass) {
    suite.beforeAll('setUpRun', async () => {
      context.data = (await testClass.setUpRun?.(context)) ?? null
    })
  }
  if ('setUpAgent' in testClass) {
    suite.beforeAll('setUpAgent', async () => void (await testClass.setUpAgent?.(context)))
  }
  for (const method of testMethodsOf(testClass)) {
    const test = new Test(method, () => runOnce(testClass, method, context.data))
    test.file = file
    suite.addTest(test)
  }
  if ('tearDownAgent' in testClass) {
    suite.afterAll('tearDownAgent', async () => void (await testClass.tearDownAgent?.(context)))
  }
  if ('tearDownRun' in testClass) {
    suite.afterAll('tearDownRun', async () => void (await testClass.tearDownRun?.(context)))
  }
}

function hookContext(testClass: TestClass): Omit<RunHookContext, 'data'> {
  return {
    runId: 'local',
    seed: 0,
    agent: hostname(),
    params: {},
    serverUrl: process.env['LOADS_SERVER_URL'] || testClass.serverUrl || null,
    annotate: (text, tags = {}) => checkNote(text, tags),
    get proxies() {
      return proxiesFor('run')
    },
  }
}

/**
 * One test, with all its hooks around it. Each set-up that was begun is torn down; the first error is the one thrown.
 */
async function runOnce(testClass: TestClass, method: string, data: unknown): Promise<void> {
  const test = new testClass()
  const context = contextOf(test)
  attachUser(test, { ...context, run: { ...context.run, data } } satisfies UserContext)
  const errors: unknown[] = []
  const step = async (action: () => unknown) => {
    try {
      await action()
    } catch (error) {
      errors.push(error)
    }
  }
  await step(() => test.setUpUser())
  if (errors.length === 0) {
    await step(() => test.setUp())
    if (errors.length === 0) {
      await step(() => (test as TestCase & Record<string, () => unknown>)[method]!())
    }
    await step(() => test.tearDown())
    await step(() => settleExecution(test))
    await step(() => restoreProxies(test))
  }
  await step(() => test.tearDownUser())
  await releaseUser(test)
  if (errors.length > 0) throw errors[0]
}
