import { resolve } from 'node:path'
import type { Invocation } from '../read-settings.ts'
import type { World } from '../world.ts'
import { jsonText, writeJson } from '../write-json.ts'

/** Gives the answer of a query: as text, or with `--json` as JSON. */
export async function answer(
  world: Pick<World, 'stdout' | 'cwd'>,
  { settings }: Pick<Invocation, 'settings'>,
  value: object,
  text: () => string,
): Promise<void> {
  if (settings.json === '-') return world.stdout.write(jsonText(value))
  if (settings.json !== null) await writeJson(resolve(world.cwd, settings.json), value)
  if (!settings.quiet) world.stdout.write(text())
}
