import type { RunRow } from '@loads-runner/protocol'
import type { OperatorPeerConnection } from './subscribers.ts'

/** Consoles and pages that show the list of runs. What they hear is a row now and then, so nothing holds it back. */
export class RunWatchers {
  readonly #connections = new Set<OperatorPeerConnection>()

  get size(): number {
    return this.#connections.size
  }

  add(connection: OperatorPeerConnection): void {
    this.#connections.add(connection)
  }

  remove(connection: OperatorPeerConnection): void {
    this.#connections.delete(connection)
  }

  /** This run is new, or has changed its state. */
  tell(row: RunRow): void {
    for (const connection of this.#connections) {
      try {
        connection.send({ type: 'run', row })
      } catch {
        // A row that no link takes; the run must not suffer from those who watch.
        this.remove(connection)
      }
    }
  }
}
