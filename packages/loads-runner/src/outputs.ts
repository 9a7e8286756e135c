import { suggestion } from './option-table.ts'
import { UsageError } from './errors.ts'

/** Where results go besides the run directory. */
export type OutputRequest = { name: 'stdout' } | { name: 'null' } | { name: 'json'; file: string }

const known = ['stdout', 'null', 'json:FILE']

/**
 * `NAME` or `NAME:ARGS`.
 *
 * @throws {UsageError} for an unknown name, with the known ones
 */
export function parseOutput(text: string): OutputRequest {
  const [name, ...rest] = text.split(':')
  const args = rest.join(':')
  if (name === 'stdout' || name === 'null') {
    if (args !== '') throw new UsageError(`output "${name}" takes no arguments`)
    return { name }
  }
  if (name === 'json') {
    if (args === '') throw new UsageError('output "json" needs a file: json:FILE')
    return { name, file: args }
  }
  const near = suggestion(
    name!,
    known.map((each) => each.split(':')[0]!),
  )
  throw new UsageError(
    `unknown output "${name}"${near === '' ? '' : near.slice(0, -1)} (known: ${known.join(', ')})`,
  )
}
