/** Entry of a worker thread that makes load. */
import { parentPort, workerData } from 'node:worker_threads'
import { LoadThread } from './load-thread.ts'
import type { ThreadSetup, ToThread } from './thread-messages.ts'

const port = parentPort!
const thread = new LoadThread(workerData as ThreadSetup, { post: (message) => port.postMessage(message) })
process.on('uncaughtException', (error) => thread.uncaught(error))
process.on('unhandledRejection', (error) => thread.uncaught(error))
port.on('message', (message: ToThread) => {
  void thread.handle(message).then(() => {
    if (message.type === 'end') port.close()
  })
})
await thread.load()
