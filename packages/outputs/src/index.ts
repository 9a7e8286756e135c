/**
 * Where figures go: outputs by name, and the host that feeds them without ever slowing the run.
 *
 *     const request = parseOutput('csv:figures.csv')
 *     await checkOutput(request, environment)              // bad arguments end the command before any load
 *     const outputs = [await createOutput(request, environment)]
 *     const host = new OutputHost({ outputs, environment, onTrouble: (text) => console.error(text) })
 *     connection.onEvent((event) => host.take(event))      // never throws, never waits
 *     await host.finish(10_000)
 *
 * @module
 */
export { checkFilesApart, checkOutput, checkOutputs, createOutput } from './create-output.ts'
export type { OutputEnvironment } from './environment.ts'
export { OutputError, type OutputErrorCode } from './errors.ts'
export { OutputHost, type OutputHostOptions } from './host.ts'
export { defaultLaneTimes, type LaneTimes } from './lane.ts'
export { defaultQueueLimits, type QueueLimits } from './lane-queue.ts'
export {
  recordTypes,
  type Output,
  type OutputHealth,
  type OutputRecord,
  type OutputRun,
  type RecordType,
} from './output.ts'
export {
  knownOutput,
  knownOutputs,
  type KnownOutput,
  type OutputFactory,
  type OutputPlace,
} from './registry.ts'
export { parseOutput, type OutputRequest } from './request.ts'
