import type { Peer } from '../channel.ts'

/** Hands peers to whoever asked for them; they wait while nobody has. */
export class PeerDesk {
  #handler: ((peer: Peer) => void) | null = null
  #waiting: Peer[] = []

  onPeer(handler: (peer: Peer) => void): void {
    this.#handler = handler
    const waiting = this.#waiting
    this.#waiting = []
    for (const peer of waiting) this.admit(peer)
  }

  admit(peer: Peer): void {
    if (this.#handler === null) {
      this.#waiting.push(peer)
      return
    }
    try {
      this.#handler(peer)
    } catch (error) {
      // A defect of the handler must not end the loop that serves all other peers, and must not be hidden.
      setImmediate(() => {
        throw error
      })
    }
  }
}
