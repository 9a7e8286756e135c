/**
 * A process that runs a cluster and ends as its argument says, for the test that nothing outlives it. Prints the
 * process ids of its children and grandchildren as one JSON line.
 */
import { LocalCluster } from '../src/local-cluster.ts'
import { ProcessService } from '../src/process-service.ts'
import { patient, script, scripts } from './scripts.ts'

const end = process.argv[2]
// A parent that is killed can only close pipes; one that exits kills, so stubborn children do not survive it either.
const killed = end === 'SIGKILL' || end === 'SIGTERM'
const cluster = new LocalCluster()
const services = [
  killed ? scripts.wellBehaved : scripts.stubborn,
  killed ? scripts.wellBehaved : scripts.stubborn,
].map(
  (code, index) =>
    new ProcessService({
      name: `service ${index}`,
      readLine: true,
      ...patient,
      ...script(scripts.withGrandchild(code)),
    }),
)
if (killed) services.pop()
await cluster.add(...services)
const pids: number[] = []
for (const service of services) pids.push(service.pid!, Number(await service.announced(0)))
console.log(JSON.stringify(pids))
process.stdin.resume()
process.stdin.on('end', () => {
  if (end === 'throw') throw new Error('as asked')
  process.exit(0)
})
