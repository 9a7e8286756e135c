/** A load thread of the tests: announces its series to its parent and records as many hits as it is told. */
import { parentPort, workerData } from 'node:worker_threads'
import { Recorder } from '../src/recorder.ts'

const { hits } = workerData as { hits: number }
const recorder = new Recorder({ maxSeries: 10, define: (definition) => parentPort!.postMessage(definition) })

for (let index = 0; index < hits; index++) {
  const failed = index % 8 === 0
  recorder.hit('http', 'T.a', '/', 'GET', failed ? '500' : '200', failed, 1 + (index % 5000), 3, 1, null)
}
recorder.internal('done', '', 1)
