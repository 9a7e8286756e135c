/**
 * A load thread of the tests: announces its series to its parent and records as many hits as it is told: half of them,
 * and the others when the parent has seen some.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Recorder } from '../src/recorder.ts'

const { hits, seen } = workerData as { hits: number; seen: Int32Array }
const recorder = new Recorder({ maxSeries: 10, define: (definition) => parentPort!.postMessage(definition) })

for (let index = 0; index < hits; index++) {
  if (index === hits / 2) Atomics.wait(seen, 0, 0)
  const failed = index % 8 === 0
  recorder.hit('http', 'T.a', '/', 'GET', failed ? '500' : '200', failed, 1 + (index % 5000), 3, 1, null)
}
recorder.internal('done', '', 1)
