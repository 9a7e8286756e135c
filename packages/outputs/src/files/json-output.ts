import type { OutputEnvironment } from '../environment.ts'
import type { Output } from '../output.ts'
import { FinalOutput } from './final-output.ts'

/** `json:FILE`: the summary of the run, schema `loads.summary/1`. */
export function createJson(args: string, environment: OutputEnvironment): Output {
  return new FinalOutput({
    name: 'json',
    args,
    environment,
    wants: ['end'],
    render: (_run, summary) => (summary === null ? null : `${JSON.stringify(summary, null, 2)}\n`),
  })
}
