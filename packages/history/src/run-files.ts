import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Summary } from '@loads-runner/metrics'
import { readEventLog } from '@loads-runner/protocol'
import { isFields } from './defaults.ts'
import { HistoryError } from './errors.ts'

/** What lies in the directory of a run: one that a console wrote, or the journal of a broker. */
export type RunKind = 'run-directory' | 'journal'

/** The file that makes a directory one of a run, by kind. */
export const markOf = { 'run-directory': 'run.json', journal: 'journal' } as const
/** The file with its events, by kind. */
export const eventsOf = { 'run-directory': 'events', journal: 'journal' } as const

/** The last record of a log is looked for in so many bytes at its end. */
const longestRecord = 64 * 1024 * 1024

/**
 * The fields of a JSON file; null when it is not there.
 *
 * @throws {HistoryError} HISTORY_DAMAGED when it is no JSON object
 */
export async function readFields(file: string): Promise<Record<string, unknown> | null> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
  try {
    const value: unknown = JSON.parse(text)
    if (isFields(value)) return value
  } catch {
    // Said below.
  }
  throw new HistoryError('HISTORY_DAMAGED', `${file} is damaged: it is no JSON object`)
}

/** A summary, where that is what it is. */
export function asSummary(value: unknown): Summary | null {
  return isFields(value) && value.schema === 'loads.summary/1' ? (value as unknown as Summary) : null
}

/** The summary of a run by its summary.json, else by the last record of its events; null where there is neither. */
export async function readSummary(directory: string, kind: RunKind): Promise<Summary | null> {
  const written = kind === 'run-directory' ? await readFields(join(directory, 'summary.json')) : null
  return asSummary(written) ?? (await readEnd(join(directory, eventsOf[kind])))
}

/** The summary in the `finished` record at the end of a log. */
async function readEnd(file: string): Promise<Summary | null> {
  try {
    const record: unknown = JSON.parse((await readLastLine(file)) ?? 'null')
    if (!isFields(record) || record.type !== 'finished') return null
    return asSummary(JSON.parse(String(record.summary)))
  } catch {
    // Not a record, or not there: whoever reads the events hears what is wrong with them.
    return null
  }
}

/** The first record of a log; null when it has none. */
export async function readFirstRecord(file: string): Promise<Record<string, unknown> | null> {
  for await (const record of readEventLog(file)) return isFields(record) ? record : null
  return null
}

/** The last whole line of a file, without its end; a torn one after it is left out. */
async function readLastLine(file: string): Promise<string | null> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    for (let length = Math.min(size, 64 * 1024); length > 0; length = Math.min(size, length * 4)) {
      const block = Buffer.alloc(length)
      const { bytesRead } = await handle.read(block, 0, length, size - length)
      const end = block.subarray(0, bytesRead).lastIndexOf(10)
      const start = end <= 0 ? -1 : block.lastIndexOf(10, end - 1)
      if (end >= 0 && (start >= 0 || length === size)) return block.toString('utf8', start + 1, end)
      if (length === size || length >= longestRecord) return null
    }
    return null
  } finally {
    await handle.close()
  }
}
