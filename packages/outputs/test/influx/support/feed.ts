import { IntervalCutter, RunView } from '@loads-runner/history'
import type { RunEvent } from '@loads-runner/protocol'
import type { Output, OutputRecord, OutputRun } from '../../../src/output.ts'

export interface Fed {
  run: OutputRun
  records: OutputRecord[]
}

/**
 * The records of a run as an output gets them, all at once; the view knows the whole run already.
 *
 * @param events a snapshot first
 */
export function recordsOf(events: readonly RunEvent[]): Fed {
  const view = new RunView()
  const records: OutputRecord[] = []
  const cutter = new IntervalCutter({
    spansMs: [1_000, 10_000, 60_000],
    onInterval: (interval) => records.push({ type: 'interval', interval }),
  })
  view.onCommit = (event, delta) => cutter.commit(event, delta, view.startedAt)
  let run: OutputRun | null = null
  for (const event of events) {
    if (event.type === 'snapshot') {
      cutter.begin(event)
      run = { runId: event.runId, spec: event.spec, view }
    }
    view.apply(event)
    if (event.type === 'finished') {
      cutter.end((view.summary?.durationSeconds ?? 0) * 1000)
      records.push({ type: 'end', summary: view.summary })
    } else if (event.type !== 'snapshot' && event.type !== 'commit') records.push({ type: 'event', event })
  }
  if (run === null) throw new Error('the events begin without a snapshot')
  return { run, records }
}

/** Opens, writes and closes, as whoever feeds outputs does when nothing goes wrong. */
export async function writeAll(output: Output, { run, records }: Fed): Promise<void> {
  await output.open(run)
  for (let at = 0; at < records.length; at += output.batch)
    await output.write(records.slice(at, at + output.batch), AbortSignal.timeout(20_000))
  await output.close()
}
