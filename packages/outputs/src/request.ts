import { nearestNames } from '@loads-runner/metrics'
import { OutputError } from './errors.ts'
import { knownOutput, knownOutputs, type OutputPlace } from './registry.ts'

/** One `--output`, taken apart. */
export interface OutputRequest {
  /** As it was written. */
  readonly text: string
  /** A known name, a file (`./my-output.js`) or a package (`@scope/pkg`, `npm:pkg`). */
  readonly name: string
  /** What follows the first colon after the name; '' without one. */
  readonly args: string
  readonly place: OutputPlace
}

/** Paths, scoped packages and `npm:`; a bare word is always one of ours, so that a slip of the pen loads nothing. */
const modulePattern = /^(\.{1,2}\/[^:]+|\/[^:]+|@[^:/]+\/[^:]+|npm:[^:]+)(?::(.*))?$/s

/**
 * Takes `NAME[:ARGS]` apart. Looks at the name only; see {@link checkOutput} for the rest.
 *
 * @throws {OutputError} OUTPUT_UNKNOWN, with the nearest name and all of them
 */
export function parseOutput(text: string): OutputRequest {
  const written = text.trim()
  const module = modulePattern.exec(written)
  if (module !== null) return { text: written, name: module[1]!, args: module[2] ?? '', place: 'module' }
  const colon = written.indexOf(':')
  const name = colon < 0 ? written : written.slice(0, colon)
  const known = knownOutput(name)
  if (known === undefined) throw unknown(name)
  return { text: written, name, args: colon < 0 ? '' : written.slice(colon + 1), place: known.place }
}

function unknown(name: string): OutputError {
  const names = knownOutputs.map((known) => known.name)
  const [near = null] = nearestNames(name, names, Math.max(2, Math.floor(name.length / 3)))
  const problem = name === '' ? 'an output needs a name' : `there is no output "${name}"`
  return new OutputError(
    'OUTPUT_UNKNOWN',
    `${problem}${near === null ? '' : `; did you mean ${near}?`}; known ones are ${names.join(', ')}, ` +
      'and modules as ./FILE, @SCOPE/PACKAGE or npm:PACKAGE',
  )
}
