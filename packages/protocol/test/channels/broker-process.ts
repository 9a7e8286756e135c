import { listen } from '../../src/channels/zeromq-listener.ts'
import type { BrokerKeys } from '../../src/keys.ts'

/** A listener in a process of its own, for tests that kill or freeze it. Echoes log lines as acks of their length. */
process.once('message', (start: { keys: BrokerKeys; port: number }) => {
  void serve(start)
})

async function serve({ keys, port }: { keys: BrokerKeys; port: number }): Promise<void> {
  const listener = await listen({ host: '127.0.0.1', port, keys })
  listener.onPeer((peer) => {
    if (peer.role !== 'agent') return
    peer.connection.onMessage((message) => {
      if (message.type === 'log')
        peer.connection.send({ type: 'ack', runId: message.runId, number: message.text.length })
    })
    void peer.connection.closed.then((closed) => process.send!({ closed }))
  })
  process.send!({ address: listener.address })
}
