import { RunView } from '@loads-runner/history'
import type { RunEvent } from '@loads-runner/protocol'
import type { OutputEnvironment } from '../../../src/environment.ts'
import type { OutputRun } from '../../../src/output.ts'

/** The run that these events make, as outputs see it. */
export function runOf(events: readonly RunEvent[]): OutputRun {
  const view = new RunView()
  for (const event of events) view.apply(event)
  const first = events[0]
  if (first?.type !== 'snapshot') throw new Error('a run begins with a snapshot')
  return { runId: first.runId, spec: first.spec, view }
}

/** An environment whose lines can be looked at. */
export function environmentWith(env: Record<string, string> = {}): OutputEnvironment & { lines: string[] } {
  const lines: string[] = []
  return { cwd: process.cwd(), env, lines, log: (level, text) => void lines.push(`${level} ${text}`) }
}
