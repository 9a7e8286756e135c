import { ClusterError } from './errors.ts'
import type { Service } from './service.ts'

/**
 * Services on this machine, in the order in which they were added. Services that are added together form one tier:
 * they start at the same time and stop at the same time. Tiers stop in reverse order.
 */
export class LocalCluster {
  readonly #tiers: Service[][] = []
  #stopping: Promise<void> | null = null

  get services(): readonly Service[] {
    return this.#tiers.flat()
  }

  /**
   * Starts services and keeps them until {@link stop}. When one of them does not start, the whole cluster is stopped.
   *
   * @throws ServiceStartError of the first that did not start
   * @throws ClusterError `CLUSTER_STOPPED` when the cluster was stopped before or meanwhile
   */
  async add(...services: Service[]): Promise<void> {
    this.#refuseWhenStopped()
    // Known before they run, so that a stop from now on reaches them.
    this.#tiers.push(services)
    const started = await Promise.allSettled(services.map((service) => service.start()))
    this.#refuseWhenStopped()
    const failed = started.find((result) => result.status === 'rejected')
    if (failed === undefined) return
    // What did not start is the news; what then did not stop either must not hide it.
    await this.stop().catch(() => {})
    throw failed.reason
  }

  /**
   * Stops everything; any number of calls. One service that cannot be stopped does not keep the others running.
   *
   * @throws ServiceStopError, or an AggregateError of several
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const errors: unknown[] = []
    for (const tier of this.#tiers.toReversed()) {
      for (const result of await Promise.allSettled(tier.map((service) => service.stop()))) {
        if (result.status === 'rejected') errors.push(result.reason)
      }
    }
    if (errors.length === 1) throw errors[0]
    if (errors.length > 1) throw new AggregateError(errors, `cannot stop ${errors.length} services`)
  }

  #refuseWhenStopped(): void {
    if (this.#stopping === null) return
    throw new ClusterError('CLUSTER_STOPPED', 'this cluster was stopped; make a new one to start services')
  }
}
