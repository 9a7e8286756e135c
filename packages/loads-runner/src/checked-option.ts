import { InvalidArgumentError } from 'commander'
import { UsageError } from './errors.ts'

/** Reads a value; what is wrong with it is said with the option's name. */
export function checked<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text)
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      throw new InvalidArgumentError(error.message)
    }
  }
}
