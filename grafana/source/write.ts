/**
 * Writes the dashboards to where Grafana's provisioning finds them.
 *
 *     node --import tsx grafana/source/write.ts
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dashboards } from './dashboards.ts'
import { jsonOf } from './json.ts'

const directory = fileURLToPath(new URL('../dashboards/', import.meta.url))
await mkdir(directory, { recursive: true })
for (const [file, dashboard] of Object.entries(dashboards)) {
  await writeFile(join(directory, file), await jsonOf(dashboard))
  process.stdout.write(`grafana/dashboards/${file}\n`)
}
