/**
 * `npm run bench` lists the benchmarks, `npm run bench -- one-hit http-peers` runs those. Figures of one machine on one
 * day: compare only what one call prints.
 */
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

/** What a benchmark file exports as `bench`. Its module comment says what it measures. */
export interface Bench {
  run(): Promise<void>
}

async function main(names: readonly string[]): Promise<number> {
  const known = await benches()
  const unknown = names.filter((name) => !known.has(name))
  if (unknown.length > 0) console.error(`no such benchmark: ${unknown.join(', ')}`)
  if (unknown.length > 0 || names.length === 0) {
    console.log('Benchmarks (npm run bench -- NAME...):')
    for (const [name, about] of known) console.log(`  ${name.padEnd(14)} ${about}`)
    return unknown.length > 0 ? 2 : 0
  }
  for (const name of names) {
    console.log(`== ${name}: ${known.get(name)}`)
    const module = (await import(pathToFileURL(join(here, `${name}.ts`)).href)) as { bench: Bench }
    await module.bench.run()
  }
  return 0
}

/** Names with the first sentence of each file's comment. A benchmark is a file that exports `bench`. */
async function benches(): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const file of (await readdir(here)).toSorted()) {
    const source = await readFile(join(here, file), 'utf8')
    if (!/^export const bench\b/m.test(source)) continue
    const comment = /^\/\*\*([^]*?)\*\//.exec(source)?.[1] ?? ''
    const about = comment.replaceAll(/\s*\n \*\s*/g, ' ').trim()
    found.set(basename(file, '.ts'), /^.*?[.:](?=\s|$)/.exec(about)?.[0].slice(0, -1) ?? '')
  }
  return found
}

process.exitCode = await main(process.argv.slice(2))
