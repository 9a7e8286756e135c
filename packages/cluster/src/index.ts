/**
 * Services and the clusters that they run on.
 *
 * ```ts
 * import { LocalCluster, ProcessService } from '@loads-runner/cluster'
 *
 * const cluster = new LocalCluster()
 * const database = new ProcessService({ name: 'database', command: 'redis-server', args: ['--port', '7000'] })
 * try {
 *   await cluster.add(database)
 *   // ...
 * } finally {
 *   await cluster.stop()
 * }
 * ```
 *
 * @module
 */
export { ClusterError, ServiceStartError, ServiceStopError } from './errors.ts'
export type { ClusterErrorCode } from './errors.ts'
export { LocalCluster } from './local-cluster.ts'
export { ProcessService } from './process-service.ts'
export type { ProcessServiceOptions } from './process-service.ts'
export { describeExit } from './service.ts'
export type { Exit, Service } from './service.ts'
