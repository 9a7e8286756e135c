import { dialer } from '../../src/channels/zeromq-dialer.ts'
import { parseJoin } from '../../src/join.ts'
import { identityOf } from '../channel-conformance.ts'

/** An agent in a process of its own, for tests that kill or freeze it, or wait for it to end by itself. */
process.once('message', (start: { join: string; close: boolean }) => {
  void run(start)
})

async function run({ join, close }: { join: string; close: boolean }): Promise<void> {
  const connection = await dialer(parseJoin(join)).dialAsAgent(identityOf('child'))
  connection.onMessage(() => {})
  connection.send({ type: 'heartbeat' })
  process.send!('connected')
  if (!close) return
  await connection.close()
  process.disconnect()
}
