/** Entry of a session process: one session, driven by its agent; gone when the pipe to the agent closes. */
import { EngineError, Session, type SessionListener } from '@loads-runner/engine'
import type { FromSession, ToSession } from './session-messages.ts'
import { SilenceWatch, watchMs } from './silence-watch.ts'

let session: Session | null = null
let watch: SilenceWatch | null = null

const send = (message: FromSession): void => {
  if (process.connected) process.send!(message)
}

const listener: SessionListener = {
  stageDone: (stage) => send({ type: 'stage-done', stage }),
  window: (window) =>
    send({ type: 'window', window: { ...window, delta: [...window.delta.series.values()] } }),
  leaseRows: (feed, size, count) => send({ type: 'lease-rows', feed, size, count }),
  log: (level, text) => send({ type: 'log', level, text }),
  note: (text, tags) => send({ type: 'note', text, tags }),
  lost: (reason) => send({ type: 'lost', reason }),
}

async function handle(message: ToSession): Promise<void> {
  switch (message.type) {
    case 'prepare':
      session = new Session(message.options, listener)
      watchAgent(message.maxSilenceMs)
      return send({ type: 'prepared', workers: await session.prepare() })
    case 'arm':
      await session?.arm(message.data)
      return send({ type: 'armed' })
    case 'start-stage':
      return session?.startStage(message.stage)
    case 'add-units':
      return session?.addUnits(message.units)
    case 'control':
      return session?.control(message.stage, message.changes)
    case 'rows':
      return session?.rows(message.feed, message.first, message.count)
    case 'restrict-to':
      return session?.restrictTo(message.series)
    case 'finish':
      return session?.finish()
    case 'stop':
      return session?.stop(message.mode)
    case 'close':
      await session?.close()
      send({ type: 'closed' })
      return process.disconnect()
    case 'alive':
      return send({ type: 'alive' })
  }
}

/** An agent that is frozen can stop no load, no more than one that has lost its broker. */
function watchAgent(maxSilenceMs: number): void {
  watch = new SilenceWatch(maxSilenceMs, () => {
    listener.log('warning', `the agent has said nothing for ${maxSilenceMs / 1000} s: the load stops`)
    session?.stop('drain')
  })
  setInterval(() => watch?.look(), watchMs).unref()
}

process.on('message', (message: ToSession) => {
  watch?.heard()
  handle(message).catch((error: unknown) => {
    const exitCode = error instanceof EngineError ? error.exitCode : 70
    const text = error instanceof EngineError ? error.message : ((error as Error).stack ?? String(error))
    send({ type: 'failed', exitCode, message: text })
  })
})
// The agent is gone, or is done with us: nothing that was started here may go on. (Directories go on 'exit'.)
process.on('disconnect', () => process.exit())
// Signals are the agent's business.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
