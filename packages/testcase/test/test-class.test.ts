import assert from 'node:assert/strict'
import { weight } from '../src/marks.ts'
import { TestCase, type TestClass } from '../src/test-case.ts'
import { classTagsOf, isTestClass, testMethodsOf, weightOf } from '../src/test-class.ts'

class Parent extends TestCase {
  static override weights: Record<string, number> = { test_b: 4 }

  test_b() {}
  helper() {}
  @weight(3)
  test_a() {}
  testCamel() {}
}

class Child extends Parent {
  test_c() {}
  override test_a() {}
  @weight(7)
  override testCamel() {}
  get test_getter(): number {
    throw new Error('must not be read')
  }
  static test_static() {}
}

/** `TestCase` of another copy of this package. */
class OtherCopy {}
Object.defineProperty(OtherCopy.prototype, Symbol.for('loads.TestCase'), { value: true })
class OfOtherCopy extends OtherCopy {
  test_x() {}
}

describe('isTestClass', () => {
  it('takes subclasses, also of another copy, and not TestCase itself', () => {
    assert.ok(isTestClass(Parent))
    assert.ok(isTestClass(Child))
    assert.ok(isTestClass(OfOtherCopy))
    for (const other of [
      TestCase,
      OtherCopy,
      class {},
      () => {},
      async () => {},
      {},
      null,
      'TestCase',
      new Parent(),
    ]) {
      assert.equal(isTestClass(other), false)
    }
  })
})

describe('instanceof TestCase', () => {
  it('counts instances of another copy', () => {
    assert.ok(new OfOtherCopy() instanceof TestCase)
    assert.ok(new Child() instanceof TestCase)
    for (const other of [{}, null, Parent]) assert.equal((other as unknown) instanceof TestCase, false)
  })

  it('stays exact for subclasses', () => {
    assert.ok(new Child() instanceof Parent)
    assert.equal(new Parent() instanceof Child, false)
    assert.equal((new OfOtherCopy() as unknown) instanceof Parent, false)
  })
})

describe('testMethodsOf', () => {
  it('lists parents first, in order of declaration, each once', () => {
    assert.deepEqual(testMethodsOf(Parent), ['test_b', 'test_a', 'testCamel'])
    assert.deepEqual(testMethodsOf(Child), ['test_b', 'test_a', 'testCamel', 'test_c'])
    assert.deepEqual(testMethodsOf(OfOtherCopy as unknown as TestClass), ['test_x'])
  })
})

describe('weightOf', () => {
  it('reads static weights, then marks, then 1', () => {
    assert.equal(weightOf(Parent, 'test_b'), 4)
    assert.equal(weightOf(Parent, 'test_a'), 3)
    assert.equal(weightOf(Parent, 'testCamel'), 1)
  })

  it('inherits both, and a mark of the subclass does not touch its parent', () => {
    assert.equal(weightOf(Child, 'test_b'), 4)
    assert.equal(weightOf(Child, 'test_a'), 3)
    assert.equal(weightOf(Child, 'testCamel'), 7)
    assert.equal(weightOf(Child, 'test_c'), 1)
  })

  it('refuses what is no weight', () => {
    class Wrong extends TestCase {
      static override weights = { test_x: -1 }
    }
    assert.throws(() => weightOf(Wrong, 'test_x'), {
      name: 'UsageError',
      message: /Wrong\.weights\.test_x: -1/,
    })
    for (const value of [Number.NaN, 0.5, 10_001]) assert.throws(() => weight(value), { name: 'UsageError' })
  })
})

describe('classTagsOf', () => {
  it('reads static tags, and refuses what is no word', () => {
    class Tagged extends TestCase {
      static override tags = { team: 'shop' }
    }
    class Child extends Tagged {}
    class Bad extends TestCase {
      static override tags = { team: 7 } as never
    }
    assert.deepEqual(classTagsOf(Child), { team: 'shop' })
    assert.equal(classTagsOf(Tagged), classTagsOf(Child))
    assert.equal(classTagsOf(class extends TestCase {}), null)
    assert.throws(() => classTagsOf(Bad), /Bad\.tags: the tag "team" is 7/)
  })
})
