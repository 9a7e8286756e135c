import { checkedWeight, markedWeight } from './marks.ts'
import type { Tags } from './meter.ts'
import { checkedTags, internTags } from './tags.ts'
import { brand, type TestCase, type TestClass } from './test-case.ts'

/** Whether a value is a subclass of `TestCase`, of this copy of the package or of another one; `TestCase` itself is not. */
export function isTestClass(value: unknown): value is TestClass {
  if (typeof value !== 'function') return false
  const prototype: unknown = value.prototype
  if (typeof prototype !== 'object' || prototype === null) return false
  return (prototype as Record<symbol, unknown>)[brand] === true && !Object.hasOwn(prototype, brand)
}

/** Names of the test methods (`test...`): parents first, in the order of declaration, each name once. */
export function testMethodsOf(testClass: TestClass): string[] {
  const prototypes: object[] = []
  let prototype = testClass.prototype as TestCase | null
  while (prototype !== null && !Object.hasOwn(prototype, brand)) {
    prototypes.unshift(prototype)
    prototype = Object.getPrototypeOf(prototype) as TestCase | null
  }
  const names = new Set<string>()
  for (const each of prototypes) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(each))) {
      if (name.startsWith('test') && typeof descriptor.value === 'function') names.add(name)
    }
  }
  return [...names]
}

/**
 * How often a method is chosen, compared to the others: `static weights` first, then `@weight`, then 1.
 *
 * @throws {UsageError} a weight that is not a whole number from 0 to 10,000
 */
export function weightOf(testClass: TestClass, method: string): number {
  const listed = testClass.weights?.[method]
  if (listed !== undefined) return checkedWeight(listed, `${testClass.name}.weights.${method}`)
  return markedWeight(testClass, method) ?? 1
}

/**
 * `static tags` of a class; null without.
 *
 * @throws {UsageError} tags that are no words
 */
export function classTagsOf(testClass: TestClass): Tags | null {
  const { tags } = testClass
  return tags === undefined ? null : internTags(checkedTags(tags, `${testClass.name}.tags`))
}
