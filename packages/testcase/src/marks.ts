import { UsageError } from './errors.ts'

// Standard decorators leave their marks in class metadata, which Node 20 does not name yet.
const symbols = Symbol as unknown as { metadata?: symbol }
symbols.metadata ??= Symbol.for('Symbol.metadata')
export const metadataKey: symbol = symbols.metadata

const weightsKey = Symbol.for('loads.weights')

type Weights = Record<string, number>

/**
 * How often a test method is chosen, compared to the others of its class; the same as an entry of `static weights`.
 *
 *     @weight(3) async test_search() { ... }
 */
export function weight(value: number) {
  checkedWeight(value, '@weight')
  return function mark(_method: unknown, context: ClassMethodDecoratorContext): void {
    const metadata = context.metadata as Record<symbol, Weights> | undefined
    if (metadata === undefined) {
      throw new UsageError(
        '@weight is a standard decorator: turn "experimentalDecorators" off in tsconfig.json',
      )
    }
    // Metadata of a subclass inherits from its parent's, so its own weights inherit from the parent's too.
    if (!Object.hasOwn(metadata, weightsKey)) {
      const inherited = metadata[weightsKey] ?? null
      metadata[weightsKey] = Object.create(inherited) as Weights
    }
    metadata[weightsKey]![String(context.name)] = value
  }
}

/** The weight a decorator gave to a method; undefined without one. */
export function markedWeight(testClass: object, method: string): number | undefined {
  const metadata = (testClass as Record<symbol, Record<symbol, Weights> | undefined>)[metadataKey]
  return metadata?.[weightsKey]?.[method]
}

/** Weights are parts of a cycle that each user runs through: large ones would only make it long. */
const largestWeight = 10_000

/** @throws {UsageError} not a whole number from 0 to 10,000 */
export function checkedWeight(value: unknown, where: string): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= largestWeight)
    return value as number
  throw new UsageError(
    `${where}: ${String(value)} is no weight; a weight is a whole number from 0 to ${largestWeight}`,
  )
}
