import assert from 'node:assert/strict'
import { TestCase } from '@loads-runner/testcase'
import type { EngineError } from '../src/errors.ts'
import { selectTests } from '../src/select-tests.ts'
import type { TestAddress } from '../src/test-name.ts'

class TestPlain extends TestCase {
  test_a() {}
  test_b() {}
}

class TestRated extends TestCase {
  static override load = { rate: '50/s', duration: '30s' }
  static override tags = { team: 'search' }
  static override thresholds = ['p(95)<200']
  test_a() {}
}

class TestChild extends TestRated {
  test_c() {}
}

const modules = {
  m: { TestPlain, TestRated, TestChild },
  n: { TestPlain: class TestPlain extends TestRated {} },
}

function address(name: string): TestAddress {
  const [module, className = null, method = null] = name.split('.') as [string, string?, string?]
  return { name, file: `/${module}.ts`, module, className, method, parameters: null }
}

const select = (...names: string[]) => selectTests(names.map(address), modules)

describe('selectTests', () => {
  it('says what each class says of itself', () => {
    const { classes } = select('m.TestPlain', 'm.TestRated')
    assert.deepEqual(classes, [
      { name: 'TestPlain', labels: ['TestPlain.test_a', 'TestPlain.test_b'], load: null, thresholds: [] },
      {
        name: 'TestRated',
        labels: ['TestRated.test_a'],
        load: { rate: '50/s', duration: '30s' },
        thresholds: ['p(95)<200'],
      },
    ])
  })

  it('inherits what the parent says', () => {
    const [child] = select('m.TestChild').classes
    assert.deepEqual([child!.load, child!.labels], [TestRated.load, ['TestChild.test_a', 'TestChild.test_c']])
  })

  it('tells which tests each name means', () => {
    const { named, tests } = select('m.TestPlain.test_b', 'm.TestPlain', 'm.TestRated')
    assert.deepEqual(named, [
      { name: 'm.TestPlain.test_b', labels: ['TestPlain.test_b'] },
      { name: 'm.TestPlain', labels: ['TestPlain.test_a', 'TestPlain.test_b'] },
      { name: 'm.TestRated', labels: ['TestRated.test_a'] },
    ])
    assert.equal(tests.length, 3)
  })

  it('keeps classes of one name in two modules apart', () => {
    const { classes, named } = select('m.TestPlain', 'n.TestPlain')
    assert.deepEqual(
      classes.map(({ name }) => name),
      ['m.TestPlain', 'n.TestPlain'],
    )
    assert.deepEqual(named[1]!.labels, ['n.TestPlain.test_a'])
  })

  it('names the chosen tests only', () => {
    assert.deepEqual(select('m.TestPlain.test_a').classes[0]!.labels, ['TestPlain.test_a'])
  })

  const wrong: [string, Record<string, unknown>, RegExp][] = [
    ['a load', { load: 'fast' }, /^TestX\.load is no such attribute: write static load = \{ rate/],
    [
      'thresholds',
      { thresholds: [3] },
      /^TestX\.thresholds is no such attribute: write static thresholds = \[/,
    ],
    ['tags', { tags: { team: 3 } }, /^TestX\.tags/],
  ]
  for (const [what, attributes, said] of wrong) {
    it(`refuses ${what} of another form`, () => {
      class TestX extends TestCase {
        test_a() {}
      }
      Object.assign(TestX, attributes)
      assert.throws(
        () => selectTests([address('x.TestX')], { x: { TestX } }),
        (error: EngineError) => error.exitCode === 3 && said.test(error.message),
      )
    })
  }

  it('takes one threshold without a list', () => {
    class TestX extends TestCase {
      test_a() {}
    }
    Object.assign(TestX, { thresholds: 'errors<1%' })
    const { classes } = selectTests([address('x.TestX')], { x: { TestX } })
    assert.deepEqual(classes[0]!.thresholds, ['errors<1%'])
  })
})
