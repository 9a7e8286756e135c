import { readFile } from 'node:fs/promises'
import type { RunModel } from '@loads-runner/dashboard'
import { parse } from 'csv-parse/sync'

/** A row of a CSV file or a line of an NDJSON file. */
export type FileRow = Record<string, string | number | boolean | null>

export async function readCsv(file: string): Promise<FileRow[]> {
  return parse(await readFile(file), {
    columns: true,
    cast: (text, { column, header }) =>
      header || ['kind', 'test', 'name', 'method', 'status', 'tags', 'at'].includes(String(column))
        ? text
        : text === ''
          ? null
          : Number(text),
  })
}

export async function readNdjson(file: string): Promise<FileRow[]> {
  const text = await readFile(file, 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as FileRow)
}

/** Late figures hand an interval out again: of each second its last revision counts. */
export function lastRevisions(rows: readonly FileRow[]): FileRow[] {
  const last = new Map<unknown, number>()
  for (const { elapsed, revision } of rows)
    last.set(elapsed, Math.max(last.get(elapsed) ?? 0, Number(revision)))
  return rows.filter(({ elapsed, revision }) => last.get(elapsed) === Number(revision))
}

/** What the page of a report is drawn of, as a browser hands it to the script. */
export async function readReport(file: string): Promise<{ html: string; model: RunModel }> {
  const html = await readFile(file, 'utf8')
  const [, json] = /<script type="application\/json" id="[^"]*">([^]*?)<\/script/i.exec(html)!
  return { html, model: JSON.parse(json!) as RunModel }
}

/** Sums of a field by what names a row. */
export function sumBy(
  rows: readonly object[],
  idOf: (row: FileRow) => string,
  field: string,
): Map<string, number> {
  const sums = new Map<string, number>()
  for (const row of rows as readonly FileRow[])
    sums.set(idOf(row), (sums.get(idOf(row)) ?? 0) + Number(row[field] ?? 0))
  return sums
}
