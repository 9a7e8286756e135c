import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { UsageError } from '../errors.ts'
import { isObject } from './layer.ts'

/** What a configuration file holds, and where. */
export interface ConfigDocument {
  content: Record<string, unknown>
  /** Where a key stands: `loads.config.yaml:12`; without a line where the file is a program. */
  at: (path: readonly string[]) => string
  /** Files that it was read from: itself, and what it imports. Absolute. */
  inputs: readonly string[]
}

const programs = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs']

/**
 * Reads JSON, YAML, or the default export of a module.
 *
 * @param name how the user calls it
 * @throws {UsageError} when it cannot be read, or holds no object
 */
export async function readDocument(path: string, name: string): Promise<ConfigDocument> {
  const document = programs.includes(extname(path)) ? await importModule(path, name) : await parse(path, name)
  if (!isObject(document.content)) {
    const what = programs.includes(extname(path))
      ? 'must export an object of options as its default'
      : 'must hold a JSON object of options'
    throw new UsageError(`--config: ${name} ${what}`)
  }
  return document
}

async function importModule(path: string, name: string): Promise<ConfigDocument> {
  const { importConfig } = await import('@loads-runner/engine')
  try {
    const { value, inputs } = await importConfig(path)
    return { content: value as Record<string, unknown>, at: () => basename(name), inputs }
  } catch (error) {
    throw new UsageError(`--config: ${name} does not load: ${(error as Error).message}`)
  }
}

async function parse(path: string, name: string): Promise<ConfigDocument> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new UsageError(`--config: cannot read ${name}: ${(error as Error).message}`)
  }
  const { isMap, isScalar, LineCounter, parseDocument } = await import('yaml')
  const kind = extname(path) === '.json' ? 'JSON' : 'YAML'
  if (kind === 'JSON') {
    try {
      JSON.parse(text)
    } catch (error) {
      throw new UsageError(`--config: ${name} is not JSON: ${(error as Error).message}`)
    }
  }
  const lineCounter = new LineCounter()
  // JSON is YAML: read so, each key has its line.
  const document = parseDocument(text, { lineCounter, prettyErrors: false })
  if (document.errors.length > 0) {
    throw new UsageError(
      document.errors.map(({ message, pos }) => {
        const { line, col } = lineCounter.linePos(pos[0])
        return `--config: ${name}:${line}:${col}: ${message}`
      }),
    )
  }
  const at = (keys: readonly string[]): string => {
    const parent = keys.length > 1 ? document.getIn(keys.slice(0, -1), true) : document.contents
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => isScalar(key) && String(key.value) === keys.at(-1))
      : undefined
    const offset = pair !== undefined && isScalar(pair.key) ? pair.key.range?.[0] : undefined
    return offset === undefined ? basename(name) : `${basename(name)}:${lineCounter.linePos(offset).line}`
  }
  try {
    return { content: document.toJS({ maxAliasCount: 100 }) as Record<string, unknown>, at, inputs: [path] }
  } catch (error) {
    throw new UsageError(`--config: ${name} is not ${kind}: ${(error as Error).message}`)
  }
}
