import assert from 'node:assert/strict'
import { Aggregate, type Summary } from '@loads-runner/metrics'
import { RunView } from '@loads-runner/history'
import { createJunit, junitOf } from '../../src/files/junit-output.ts'
import { fixtureRun, fixtureSummary, namesOf, outputConformance } from '../../src/testing.ts'
import { environmentOf } from '../recording-output.ts'
import { playInto, TemporaryDirectory } from './directory.ts'
import { parseXml, type Element } from './xml.ts'

function casesOf(root: Element): Element[] {
  return root.children[0]!.children.filter(({ name }) => name === 'testcase')
}

function viewOf(): RunView {
  const view = new RunView()
  for (const event of fixtureRun()) view.apply(event)
  return view
}

const healthy: Partial<Summary> = {
  verdict: 'passed',
  exitCode: 0,
  reasons: [],
  thresholds: [],
  executions: [],
}

describe('junit', () => {
  const directory = new TemporaryDirectory()
  beforeEach(() => directory.make())
  afterEach(() => directory.remove())
  const create = () => createJunit('junit.xml', environmentOf({ cwd: directory.path }))

  outputConformance('junit', {
    troubles: [],
    countsWarmUp: false,
    start: async () => ({
      output: create(),
      arrived: async () => {
        const text = await directory.read('junit.xml')
        const properties = parseXml(text).children[0]!.children[0]!.children
        const valueOf = (name: string) =>
          Number(properties.find(({ attributes }) => attributes.name === name)!.attributes.value)
        return { hits: valueOf('hits'), failed: valueOf('hits failed'), times: null, text }
      },
    }),
  })

  it('has a test case per test, with its errors, and one per threshold', async () => {
    await playInto([create()])
    const root = parseXml(await directory.read('junit.xml'))
    assert.deepEqual(
      [root.attributes.tests, root.attributes.failures, root.attributes.errors],
      ['2', '2', '1'],
    )
    const [test, threshold] = casesOf(root)
    assert.deepEqual([test!.attributes.classname, test!.attributes.name], ['shop.TestShop', 'test_buy'])
    const mean = fixtureSummary().executions[0]!.duration.mean!
    assert.equal(Number(test!.attributes.time), mean / 1000)
    const error = test!.children.find(({ name }) => name === 'error')!
    assert.equal(error.attributes.message, `22 of 220 executions: ${namesOf('plain').message}`)
    assert.match(error.text, /^22 × TypeError: no such user\nTypeError: no such user\n {4}at shop/)
    assert.ok(test!.children.some(({ name }) => name === 'failure'))
    assert.equal(threshold!.attributes.name, 'http_req_failed: rate<0.01')
    assert.match(threshold!.children[0]!.attributes.message!, /it was 0\.15/)
  })

  it('is valid whatever names and messages hold', async () => {
    await playInto([create()], { names: 'hostile' })
    const [test] = casesOf(parseXml(await directory.read('junit.xml')))
    assert.equal(test!.attributes.name, '<script>alert(1)</script>')
    const error = test!.children.find(({ name }) => name === 'error')!
    assert.ok(error.attributes.message!.includes('<img src=x onerror=alert(1)>'))
  })

  it('tells of a verdict that no test and no threshold tells of', () => {
    const { spec } = viewOf()
    for (const verdict of [
      'incomplete',
      'generator-limited',
      'aborted',
      'infrastructure',
      'failed',
    ] as const) {
      const summary = {
        ...fixtureSummary(),
        ...healthy,
        verdict,
        reasons: ['a window is missing', 'another'],
      }
      const [only] = casesOf(parseXml(junitOf(summary, spec!, new Aggregate())))
      assert.equal(only!.attributes.name, 'verdict')
      assert.equal(only!.children[0]!.name, verdict === 'failed' ? 'failure' : 'error')
      assert.equal(only!.children[0]!.attributes.message, `${verdict}: a window is missing`)
      assert.equal(only!.children[0]!.text, 'a window is missing\nanother')
    }
  })

  it('is green where the run has passed, also where a threshold lets some executions fail', () => {
    const { spec, aggregate } = viewOf()
    const summary = { ...fixtureSummary(), verdict: 'passed', exitCode: 0, reasons: [] } as Summary
    const thresholds = ['errors: rate<0.5', 'failures: rate<0.5'].map((expression) => ({
      expression,
      abortOnFail: false,
      delayAbortMs: 0,
    }))
    summary.thresholds = thresholds.map(({ expression }) => ({
      expression,
      value: 0.1,
      ok: true,
      abortOnFail: false,
    }))
    const root = parseXml(junitOf(summary, { ...spec!, thresholds }, aggregate))
    assert.deepEqual([root.attributes.failures, root.attributes.errors], ['0', '0'])
    assert.match(casesOf(root)[0]!.children[0]!.text, /22 erred.*a threshold decides about them/)
  })
})
