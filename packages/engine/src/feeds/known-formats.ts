import { csvFormat } from './csv-format.ts'
import type { DataFormat } from './data-format.ts'
import { jsonFormat } from './json-format.ts'
import { jsonLinesFormat } from './json-lines-format.ts'

const formats: Record<string, DataFormat> = {
  csv: csvFormat(','),
  tsv: csvFormat('\t'),
  json: jsonFormat,
  ndjson: jsonLinesFormat,
  jsonl: jsonLinesFormat,
}

/** What names of data files end in. */
export const dataExtensions: readonly string[] = Object.keys(formats)

/** By the end of the file's name; null for an unknown one. */
export function formatOf(file: string): DataFormat | null {
  return formats[/\.([a-z]+)$/i.exec(file)?.[1]?.toLowerCase() ?? ''] ?? null
}
