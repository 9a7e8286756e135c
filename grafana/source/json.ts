import { fileURLToPath } from 'node:url'
import type { Dashboard } from '@grafana/schema'
import { format, resolveConfig } from 'prettier'

/** A dashboard as its file has it: in the form that the rest of the repository has, so that changes can be read. */
export async function jsonOf(dashboard: Dashboard): Promise<string> {
  const config = await resolveConfig(fileURLToPath(import.meta.url))
  return format(JSON.stringify(dashboard), { ...config, parser: 'json' })
}
