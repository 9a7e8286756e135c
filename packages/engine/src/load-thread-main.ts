/** Entry of a worker thread that makes load. */
import { parentPort, workerData } from 'node:worker_threads'
import { LoadThread } from './load-thread.ts'
import type { FromThread, ThreadSetup, ToThread } from './thread-messages.ts'

const port = parentPort!
const thread = new LoadThread(workerData as ThreadSetup, { post })
process.on('uncaughtException', (error) => thread.uncaught(error))
process.on('unhandledRejection', (error) => thread.uncaught(error))
port.on('message', (message: ToThread) => void thread.handle(message))
await thread.load()

function post(message: FromThread): void {
  if (message.type === 'ended') void leave(message)
  else port.postMessage(message)
}

/** The word that the thread has ended overtakes its last output, if that is not waited for. */
async function leave(message: FromThread): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => stream.write('', () => resolve()))
  }
  port.postMessage(message)
  port.close()
}
